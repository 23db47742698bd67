import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW, names, rollout } from '../../test/support/a-rollout.ts';
import { SETTINGS, aPod, aReport, aVariantInput } from '../../test/support/a-variant.ts';
import { isOverdue, nextRolloutState, recheckAfter, reloadCalls, type RolloutState } from './hot-reload.ts';

describe('the first revision', () => {
  it('becomes stable at once, without steps', () => {
    expect(nextRolloutState(aVariantInput({ state: { sequence: 0 }, pods: [], proven: false }), NOW)).toEqual({
      stable: 'r1',
      sequence: 1,
    });
  });

  it('is recorded as refused when its pods refuse it, and replaced by the next version without waves', () => {
    const failure = { reason: 'LoadFailed', message: 'cut short', revision: 'r1', sequence: 1 } as const;
    const input = aVariantInput({
      proven: false,
      pods: [aPod('a', undefined, { report: aReport(undefined, { failure }) })],
    });

    const state = nextRolloutState(input, NOW);

    expect(state.rejected).toMatchObject([{ revision: 'r1', reason: 'LoadFailed' }]);
    expect(nextRolloutState({ ...input, state, target: 'r2' }, NOW)).toMatchObject({ stable: 'r2', sequence: 2 });
    expect(names({ ...input, state, target: 'r2' })).toEqual(['a:r2']);
  });
});

describe('a new version', () => {
  it('becomes the candidate with a higher sequence and an absolute deadline', () => {
    const state = nextRolloutState(aVariantInput({ target: 'r2' }), NOW);

    expect(state).toMatchObject({
      stable: 'r1',
      sequence: 2,
      candidate: { revision: 'r2', deadline: '2026-01-01T00:10:00.000Z' },
    });
  });

  it('is tried by one pod first, then by maxConcurrent pods', () => {
    const pods = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => aPod(name, 'r1'));
    expect(names(rollout({ pods }))).toEqual(['a:r2']);
    const second = [aPod('a', 'r2'), ...pods.slice(1)];
    expect(names(rollout({ pods: second }))).toEqual(['b:r2', 'c:r2']);
    expect(names(rollout({ pods: second, settings: { ...SETTINGS, maxConcurrent: '3' } }))).toEqual([
      'b:r2',
      'c:r2',
      'd:r2',
    ]);
  });

  it('is promoted only when every ready pod reports it, and the old one becomes previous', () => {
    const half = rollout({ pods: [aPod('a', 'r2'), aPod('b', 'r1')] });
    expect(nextRolloutState(half, NOW).stable).toBe('r1');
    const whole = rollout({ pods: [aPod('a', 'r2'), aPod('b', 'r2')] });
    expect(nextRolloutState(whole, NOW)).toEqual({ stable: 'r2', previous: 'r1', sequence: 2 });
  });

  it('waits until pods have the template of the revision', () => {
    const input = rollout({ rolledOut: false });
    expect(names(input)).toEqual([]);
    expect(nextRolloutState({ ...input, pods: [aPod('a', 'r2')] }, NOW).stable).toBe('r1');
  });

  it('soaks after a wave until an absolute time', () => {
    const settings = { ...SETTINGS, maxConcurrent: '1', soakMs: 5000 };
    const input = rollout({ pods: [aPod('a', 'r2'), aPod('b', 'r1')], settings });

    const state = nextRolloutState(input, NOW);

    expect(state.candidate).toMatchObject({ loaded: 1, soakUntil: '2026-01-01T00:00:05.000Z' });
    expect(reloadCalls(state, { ...input, state }, NOW)).toEqual([]);
    expect(recheckAfter(state, input.pods, NOW)).toBe(5000);
    expect(reloadCalls(state, { ...input, state }, NOW + 5000).map(({ pod }) => pod.name)).toEqual(['b']);
  });

  it('supersedes a candidate that is under way; the rollback target stays the last promoted one', () => {
    const input = rollout({ target: 'r3', pods: [aPod('a', 'r2'), aPod('b', 'r1')] });

    const state = nextRolloutState(input, NOW);

    expect(state).toMatchObject({ stable: 'r1', sequence: 3, candidate: { revision: 'r3' } });
    expect(reloadCalls(state, { ...input, state }, NOW).map(({ pod, revision }) => `${pod.name}:${revision}`)).toEqual([
      'a:r3',
    ]);
  });

  it('does nothing while suspended', () => {
    expect(nextRolloutState(aVariantInput({ target: 'r2', suspended: true }), NOW)).toEqual({
      stable: 'r1',
      sequence: 1,
    });
  });
});

it('takes a pod that came up on another version to the stable one, and leaves one that is still starting alone', () => {
  expect(names(aVariantInput({ pods: [aPod('a', 'old'), aPod('b', 'r1'), aPod('c', undefined)] }))).toEqual(['a:r1']);
});

it('tells pods that may still be loading a candidate that was given up, once', () => {
  const pods = [aPod('a', 'r1', { report: aReport('r1', { sequence: 2 }) })];
  const back = rollout({ target: 'r1', pods });
  expect(names(back)).toEqual(['a:r1']);
  const state = nextRolloutState(back, NOW);
  const told = [aPod('a', 'r1', { report: aReport('r1', { sequence: state.sequence }) })];
  expect(names({ ...back, state, pods: told })).toEqual([]);
});

it('ends the load of what was superseded meanwhile, and leaves the loads alone that are still wanted', () => {
  const loading = (revision: string, sequence: number, active: string | undefined = 'r1') =>
    aPod('b', active, { report: aReport(active, { sequence, loading: { revision, sequence } }) });
  const superseded = rollout({ target: 'r3', pods: [aPod('a', 'r1'), loading('r2', 2)] });
  expect(names(superseded)).toEqual(['a:r3', 'b:r1']);
  expect(names(rollout({ pods: [aPod('a', 'r1'), loading('r2', 2)] }))).toEqual(['a:r2']);
  const starting = aPod('b', undefined, { report: aReport(undefined, { loading: { revision: 'r0', sequence: 1 } }) });
  expect(names(rollout({ target: 'r3', pods: [aPod('a', 'r1'), starting] }))).toEqual(['a:r3']);
});

it('has its whole deadline again after it was suspended', () => {
  const started = rollout();
  const later = NOW + 3_600_000;

  const state = nextRolloutState({ ...started, resumed: true }, later);

  expect(isOverdue(nextRolloutState(started, later), later)).toBe(true);
  expect(isOverdue(state, later + 599_999)).toBe(false);
  expect(nextRolloutState({ ...started, state, resumed: true }, later)).toEqual(state);
});

it('counts the deadline anew whenever more pods have the candidate', () => {
  const started = rollout();
  const later = NOW + 599_000;
  const settings = { ...SETTINGS, maxConcurrent: '1', soakMs: 5000 };
  const input = { ...started, settings, pods: [aPod('a', 'r2'), aPod('b', 'r1')] };

  const state = nextRolloutState(input, later);

  expect(isOverdue(state, later + 600_000)).toBe(false);
  expect(isOverdue(state, later + 605_000)).toBe(true);
  expect(nextRolloutState({ ...input, state }, later + 1000)).toEqual(state);
});

it('is overdue after its deadline, without being rejected', () => {
  const state = nextRolloutState(rollout(), NOW + 600_000);
  expect(isOverdue(state, NOW + 600_000)).toBe(true);
  expect(state.rejected).toBeUndefined();
});

it('goes above the highest sequence that a pod has seen, so that its calls are heard', () => {
  const ahead = aPod('a', 'old', { report: aReport('old', { sequence: 7 }) });
  expect(nextRolloutState(aVariantInput({ pods: [ahead] }), NOW).sequence).toBe(8);
});

describe('under any interleaving of loads, refusals, restarts and new versions', () => {
  const step = fc.record({
    kind: fc.constantFrom('load', 'refuse', 'restart', 'upload'),
    pod: fc.nat(3),
    revision: fc.integer({ min: 1, max: 4 }),
  });

  it('promotes only what every pod had loaded, never repeats a rejected version, and is idempotent', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let state: RolloutState = { stable: 'r1', sequence: 1 };
        let target = 'r1';
        const pods = ['a', 'b', 'c', 'd'].map((name) => aPod(name, 'r1'));
        for (const { kind, pod, revision } of steps) {
          if (kind === 'upload') target = `r${revision}`;
          const input = aVariantInput({ state, target, pods, replicas: 4 });
          const call = reloadCalls(state, input, NOW).find((each) => each.pod === pods[pod]);
          if (kind === 'restart') pods[pod] = aPod(pods[pod]!.name, state.stable);
          if (kind === 'load' && call) pods[pod] = aPod(call.pod.name, call.revision);
          if (kind === 'refuse' && call && call.revision !== state.stable) {
            const failure = {
              reason: 'LoadFailed',
              message: '',
              revision: call.revision,
              sequence: state.sequence,
            } as const;
            pods[pod] = { ...call.pod, report: { ...call.pod.report!, failure } };
          }
          const next = nextRolloutState(aVariantInput({ state, target, pods, replicas: 4 }), NOW);
          if (next.stable !== state.stable)
            expect(pods.every((each) => each.report?.artifact?.revision === next.stable)).toBe(true);
          expect(next.sequence).toBeGreaterThanOrEqual(state.sequence);
          expect(next.rejected?.some(({ revision: bad }) => bad === next.candidate?.revision) ?? false).toBe(false);
          const again = aVariantInput({ state: next, target, pods, replicas: 4 });
          expect(nextRolloutState(again, NOW)).toEqual(next);
          state = next;
        }
      }),
      { numRuns: 500 },
    );
  });
});
