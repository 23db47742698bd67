import { describe, expect, it } from 'vitest';
import { NOW, names, refusing, rollout } from '../../test/support/a-rollout.ts';
import { SETTINGS, aPod, aReport, aVariantInput } from '../../test/support/a-variant.ts';
import { nextRolloutState, recheckAfter, reloadCalls } from './hot-reload.ts';
import type { PodObserved } from './observed.ts';

describe('a refused version', () => {
  it('is rejected, moved pods go back, and it is never tried again by itself', () => {
    const input = rollout({ pods: [aPod('a', 'r2'), refusing('b', 2)] });

    const state = nextRolloutState(input, NOW);

    expect(state).toMatchObject({ stable: 'r1', sequence: 3, rejected: [{ revision: 'r2', reason: 'LoadFailed' }] });
    expect(state.candidate).toBeUndefined();
    expect(names({ ...input, state })).toEqual(['a:r1']);
    expect(nextRolloutState({ ...input, state }, NOW + 3_600_000)).toEqual(state);
  });

  it('is not rejected for a fault of the surroundings, nor by a refusal of an earlier attempt', () => {
    expect(nextRolloutState(rollout({ pods: [refusing('a', 2, 'StoreUnreachable')] }), NOW).candidate).toBeDefined();
    expect(nextRolloutState(rollout({ pods: [refusing('a', 1)] }), NOW).candidate).toBeDefined();
  });

  describe('ends the process of a pod', () => {
    const told = { revision: 'r2', agoMs: 1000, crashId: undefined, crashes: 0 };
    const ended = (exitCode: number, reason = 'Error') => ({ crash: { id: 'c1', exitCode, reason } });
    const rejection = (...pods: readonly PodObserved[]) =>
      nextRolloutState(rollout({ pods }), NOW + 2000).rejected?.[0]?.reason;

    it('and is rejected by the first that crashes, or is killed for memory, over it', () => {
      expect(rejection(aPod('a', 'r1', { told, ...ended(139) }), aPod('b', 'r1'))).toBe('LoadCrashed');
      expect(rejection(aPod('a', 'r1', { told, ...ended(1) }), aPod('b', 'r1'))).toBe('LoadCrashed');
      expect(rejection(aPod('a', 'r1', { told, ...ended(137, 'OOMKilled') }))).toBe('InsufficientMemory');
    });

    it('and is not blamed for the end of a pod that was not told of it, or had ended before', () => {
      expect(rejection(aPod('a', 'r1', ended(137, 'OOMKilled')), aPod('b', 'r1', ended(139)))).toBeUndefined();
      expect(rejection(aPod('a', 'r1', { told: { ...told, revision: 'r1' }, ...ended(139) }))).toBeUndefined();
      expect(rejection(aPod('a', 'r1', { told: { ...told, crashId: 'c1' }, ...ended(139) }))).toBeUndefined();
      expect(rejection(aPod('a', 'r1', { told, ...ended(139), terminating: true }))).toBeUndefined();
    });

    it('and is given the benefit of the doubt for one kill from outside, not for two', () => {
      const killed = ended(137);
      expect(rejection(aPod('a', 'r1', { told, ...killed }))).toBeUndefined();
      expect(rejection(aPod('a', 'r1', { told, ...killed }), aPod('b', 'r1', { told, ...killed }))).toBe('LoadCrashed');
      expect(rejection(aPod('a', 'r1', { told: { ...told, crashes: 1 }, ...killed }))).toBe('LoadCrashed');
    });

    it('and no other pod is told before it is clear how that one ended', () => {
      const { report, ...gone } = aPod('b', 'r1', { told, ready: false });
      const pods = [aPod('a', 'r1'), gone];
      const late = { ...gone, told: { ...told, agoMs: 30_000 } };
      expect(report).toBeDefined();
      expect(names(rollout({ pods }))).toEqual([]);
      expect(recheckAfter(rollout().state, pods, NOW)).toBe(29_000);
      expect(names(rollout({ pods: [pods[0]!, { ...gone, ready: true }] }))).toEqual(['b:r2']);
      expect(names(rollout({ pods: [pods[0]!, late] }))).toEqual(['a:r2']);
    });

    it('and the pod that was told first is told again, though another one comes before it by name', () => {
      expect(names(rollout({ pods: [aPod('a', 'r1'), aPod('b', 'r1', { told })] }))).toEqual(['b:r2']);
    });
  });

  it('leaves room for the next version', () => {
    const rejected = [{ revision: 'r2', reason: 'LoadFailed', message: '', time: '2026-01-01T00:00:00Z' }];
    const input = aVariantInput({ state: { stable: 'r1', sequence: 3, rejected }, target: 'r3' });
    expect(nextRolloutState(input, NOW).candidate?.revision).toBe('r3');
  });
});

it('does not ask a pod again that refused the stable revision at this sequence', () => {
  const failure = { reason: 'ChecksumMismatch', message: '', revision: 'r1', sequence: 1 } as const;
  expect(names(aVariantInput({ pods: [aPod('a', 'old', { report: aReport('old', { failure }) })] }))).toEqual([]);
});

it('replaces a stable revision that every pod refuses, but not one whose pods are only restarting', () => {
  const failure = { reason: 'LoadFailed', message: '', revision: 'r1', sequence: 1 } as const;
  const broken = aPod('a', undefined, { report: aReport(undefined, { failure }) });
  expect(nextRolloutState(aVariantInput({ target: 'r2', pods: [broken] }), NOW).stable).toBe('r2');
  expect(nextRolloutState(aVariantInput({ target: 'r2', pods: [aPod('a', undefined)] }), NOW).stable).toBe('r1');
});

it('does not replace a stable revision that a silent pod may still serve', () => {
  const failure = { reason: 'LoadFailed', message: '', revision: 'r1', sequence: 1 } as const;
  const broken = aPod('a', undefined, { report: aReport(undefined, { failure }) });
  const { report, ...mute } = aPod('b', 'r1');
  expect(report).toBeDefined();
  expect(nextRolloutState(aVariantInput({ target: 'r2', pods: [broken, mute] }), NOW).stable).toBe('r1');
});

it('replaces a stable revision whose bytes are gone, but not one that the store cannot give at present', () => {
  const after = (reason: 'ObjectChanged' | 'StoreUnreachable') => {
    const failure = { reason, message: '', revision: 'r1', sequence: 1 } as const;
    const pods = [aPod('a', undefined, { report: aReport(undefined, { failure }) })];
    return nextRolloutState(aVariantInput({ target: 'r2', pods }), NOW).stable;
  };
  expect(after('ObjectChanged')).toBe('r2');
  expect(after('StoreUnreachable')).toBe('r1');
});

describe('another schema', () => {
  const allowed = { ...SETTINGS, allowSchemaChange: true };
  const permissions = (input: ReturnType<typeof rollout>) =>
    reloadCalls(input.state, input, NOW).map(({ revision, allowSchemaChange }) => [revision, allowSchemaChange]);
  const rejected = () => nextRolloutState(rollout({ pods: [refusing('a', 2, 'SchemaIncompatible')] }), NOW);

  it('is allowed to a candidate by the resource alone, and to the way back always', () => {
    const pods = [aPod('a', 'r1'), aPod('b', 'old')];

    expect(permissions(rollout({ pods }))).toEqual([
      ['r2', false],
      ['r1', true],
    ]);
    expect(permissions(rollout({ pods, settings: allowed }))[0]).toEqual(['r2', true]);
  });

  it('that was refused is tried again when it is allowed, with a higher sequence', () => {
    const state = rejected();
    expect(state).toMatchObject({ rejected: [{ revision: 'r2', reason: 'SchemaIncompatible' }], sequence: 3 });

    const again = nextRolloutState(rollout({ state, settings: allowed }), NOW);

    expect(again).toMatchObject({ candidate: { revision: 'r2' }, rejected: [], sequence: 4 });
    expect(nextRolloutState(rollout({ state: again, settings: allowed }), NOW)).toEqual(again);
  });

  it('and every other reason stay refused', () => {
    const state = nextRolloutState(rollout({ pods: [refusing('a', 2)] }), NOW);

    expect(nextRolloutState(rollout({ state: rejected() }), NOW).candidate).toBeUndefined();
    expect(nextRolloutState(rollout({ state, settings: allowed }), NOW).candidate).toBeUndefined();
  });
});
