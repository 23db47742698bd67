import { describe, expect, it } from 'vitest';
import { aPod, aReport } from '../../test/support/a-variant.ts';
import { assess, type Assessment, type VariantFacts } from './assess.ts';
import { messageOf, phaseOf } from './summary.ts';
import type { TrafficPlan } from './traffic.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const traffic: TrafficPlan = {
  mode: 'HAProxy',
  present: undefined,
  target: { kind: 'router' },
  acknowledged: true,
  confirming: false,
  held: [],
  skipped: [],
  silent: [],
  shares: new Map(),
};
const resolved = {
  kind: 'resolved',
  artifact: { store: 'aws', bucket: 'b', key: 'k', versionId: 'v' },
  listedAt: NOW,
} as const;
const facts = (overrides: Partial<VariantFacts> = {}): VariantFacts => ({
  name: 'blue',
  weight: 1,
  replicas: 2,
  state: { stable: 'r1', sequence: 1 },
  artifact: resolved,
  target: 'r1',
  pods: [aPod('a', 'r1'), aPod('b', 'r1')],
  onlyArtifactDiffers: true,
  versioned: true,
  missingSince: undefined,
  ...overrides,
});
const assessment = (variant: Partial<VariantFacts> = {}, overrides: Partial<Assessment> = {}): Assessment => ({
  suspended: false,
  progressDeadlineMs: 600_000,
  variants: [facts(variant)],
  traffic,
  obstacles: [],
  ...overrides,
});
const of = (input: Assessment) =>
  Object.fromEntries(assess(input, NOW).map(({ type, status, reason }) => [type, `${status}/${reason}`]));
const phase = (input: Assessment) => phaseOf(input, assess(input, NOW));
const rejected = [{ revision: 'r2', reason: 'LoadFailed', message: 'cut short', time: '2026-01-01T00:00:00Z' }];
const candidate = {
  revision: 'r2',
  startedAt: '2026-01-01T00:00:00Z',
  deadline: '2026-01-01T00:10:00Z',
  loaded: 0,
};

describe('kstatus', () => {
  it('at rest there is neither Reconciling nor Stalled, and Ready is True', () => {
    expect(of(assessment())).toEqual({
      Ready: 'True/Ready',
      Available: 'True/VariantsAvailable',
      UpToDate: 'True/UpToDate',
      ArtifactResolved: 'True/Resolved',
      ArtifactDurable: 'True/Versioned',
      ModelLoaded: 'True/Loaded',
      TrafficApplied: 'True/Applied',
    });
    expect(phase(assessment())).toBe('Healthy');
  });

  it('a rollout is Reconciling, with the deadline as an absolute time', () => {
    const input = assessment({ state: { stable: 'r1', sequence: 2, candidate }, target: 'r2' });
    expect(of(input)).toMatchObject({
      Ready: 'False/RolloutInProgress',
      Reconciling: 'True/RolloutInProgress',
      UpToDate: 'False/RolloutInProgress',
    });
    expect(messageOf(input, assess(input, NOW))).toBe('blue: r2 on 0/2 pods, deadline 2026-01-01T00:10:00Z');
  });

  it('a rollout past its deadline is Stalled and says what Kubernetes says', () => {
    const late = { ...candidate, deadline: '2025-12-31T00:00:00Z' };
    const input = assessment({
      state: { stable: 'r1', sequence: 2, candidate: late },
      target: 'r2',
      workloadProblem: 'ImagePullBackOff: no such image',
    });
    expect(of(input)).toMatchObject({ Stalled: 'True/ProgressDeadlineExceeded', Available: 'True/VariantsAvailable' });
    expect(of(input)).not.toHaveProperty('Reconciling');
    expect(messageOf(input, assess(input, NOW))).toContain('ImagePullBackOff: no such image');
  });

  it('a name that is taken is Stalled, and the phase Degraded', () => {
    const input = assessment({}, { obstacles: [{ reason: 'NameConflict', message: 'Service retail exists' }] });
    expect(of(input)).toMatchObject({ Ready: 'False/NameConflict', Stalled: 'True/NameConflict' });
    expect(phase(input)).toBe('Degraded');
  });
});

describe('what is refused', () => {
  it('as an upload leaves Ready True', () => {
    const input = assessment({ state: { stable: 'r1', sequence: 3, rejected }, target: 'r2' });
    expect(of(input)).toMatchObject({ Ready: 'True/Ready', UpToDate: 'False/ArtifactRejected' });
    expect(messageOf(input, assess(input, NOW))).toBe('blue keeps r1: LoadFailed: cut short');
  });

  it('as a change of the spec is Stalled', () => {
    const input = assessment({
      state: { stable: 'r1', sequence: 3, rejected },
      target: 'r2',
      onlyArtifactDiffers: false,
    });
    expect(of(input)).toMatchObject({
      Ready: 'False/LoadFailed',
      Stalled: 'True/LoadFailed',
      Available: 'True/VariantsAvailable',
    });
  });

  it('as the very first artifact is Stalled, since nothing serves', () => {
    const input = assessment({
      state: { stable: 'r2', sequence: 1, rejected },
      target: 'r2',
      pods: [aPod('a', undefined)],
    });
    expect(of(input)).toMatchObject({
      Ready: 'False/LoadFailed',
      Stalled: 'True/LoadFailed',
      Available: 'False/NoReadyPods',
    });
  });

  it('is RollingBack while pods still serve it', () => {
    expect(
      phase(
        assessment({
          state: { stable: 'r1', sequence: 3, rejected },
          target: 'r2',
          pods: [aPod('a', 'r2'), aPod('b', 'r1')],
        }),
      ),
    ).toBe('RollingBack');
  });
});

describe('the store', () => {
  it('out of reach does not make a serving resource unready', () => {
    const artifact = { kind: 'failed', reason: 'StoreUnreachable', message: 'no answer' } as const;
    expect(of(assessment({ artifact }))).toMatchObject({
      Ready: 'True/Ready',
      ArtifactResolved: 'Unknown/StoreUnreachable',
    });
    expect(of(assessment({ artifact, target: undefined }))).toMatchObject({ Ready: 'False/StoreUnreachable' });
  });

  it('without the key is Reconciling until the deadline and Stalled after it', () => {
    const artifact = { kind: 'failed', reason: 'NoSuchKey', message: 'no such key' } as const;
    expect(of(assessment({ artifact, missingSince: NOW - 599_999 }))).toMatchObject({ Reconciling: 'True/NoSuchKey' });
    expect(of(assessment({ artifact, missingSince: NOW - 600_000 }))).toMatchObject({ Stalled: 'True/NoSuchKey' });
  });

  it('without versioning is said, and harms nothing else', () => {
    expect(of(assessment({ versioned: false }))).toMatchObject({
      Ready: 'True/Ready',
      ArtifactDurable: 'False/BucketNotVersioned',
    });
  });
});

describe('pods', () => {
  it('that are missing make it unready but leave it available', () => {
    expect(of(assessment({ pods: [aPod('a', 'r1')] }))).toMatchObject({
      Ready: 'False/Loading',
      Available: 'True/VariantsAvailable',
      ModelLoaded: 'False/Loading',
    });
  });

  it('that cannot load say why', () => {
    const failure = { reason: 'AccessDenied', message: 'HTTP 403', revision: 'r1', sequence: 1 } as const;
    const input = assessment({ pods: [aPod('a', undefined, { report: aReport(undefined, { failure }) })] });
    expect(of(input)).toMatchObject({ ModelLoaded: 'False/AccessDenied', Available: 'False/NoReadyPods' });
  });

  it('that nobody asks for are not said to serve', () => {
    expect(of(assessment({ replicas: 0, pods: [] }))).toMatchObject({
      Ready: 'True/Ready',
      Available: 'True/ScaledToZero',
    });
  });

  it('of a variant without weight are not needed for availability', () => {
    expect(of(assessment({ weight: 0, pods: [] }))).toMatchObject({ Available: 'True/VariantsAvailable' });
  });
});

it('traffic that waits for routers, for capacity, or skips a variant is not applied', () => {
  expect(of(assessment({}, { traffic: { ...traffic, acknowledged: false } }))).toMatchObject({
    TrafficApplied: 'False/WaitingForRouters',
  });
  const silent = assess(assessment({}, { traffic: { ...traffic, acknowledged: false, silent: ['r1'] } }), NOW);
  expect(silent.find(({ type }) => type === 'TrafficApplied')).toMatchObject({
    reason: 'WaitingForRouters',
    message: 'router r1 is ready but does not answer; it is replaced if that goes on',
  });
  expect(of(assessment({}, { traffic: { ...traffic, held: ['green'] } }))).toMatchObject({
    TrafficApplied: 'False/InsufficientCapacity',
  });
  expect(of(assessment({}, { traffic: { ...traffic, skipped: ['green'] } }))).toMatchObject({
    TrafficApplied: 'False/VariantDown',
  });
});

it('suspended, a version that waits in the store is no reason to be unready', () => {
  const input = assessment({ target: 'r2' }, { suspended: true });
  expect(of(input)).toMatchObject({ Ready: 'True/Ready', UpToDate: 'False/Suspended' });
  expect(phase(input)).toBe('Suspended');
});

it('does not stall while it is suspended, though the deadline passes', () => {
  const late = { stable: 'r1', sequence: 2, candidate: { ...candidate, deadline: '2025-01-01T00:00:00Z' } };
  expect(of(assessment({ state: late, target: 'r2' }))).toHaveProperty('Stalled');
  expect(of(assessment({ state: late, target: 'r2' }, { suspended: true }))).not.toHaveProperty('Stalled');
});
