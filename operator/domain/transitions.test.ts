import { expect, it } from 'vitest';
import type { Status, VariantStatus } from './status.ts';
import { transitionsOf } from './transitions.ts';

const variant = (overrides: Partial<VariantStatus> = {}): VariantStatus => ({
  name: 'blue',
  sequence: 1,
  replicas: 2,
  ready: 2,
  loaded: 2,
  stable: 'r1',
  ...overrides,
});
const status = (overrides: Partial<VariantStatus> = {}, more: Partial<Status> = {}): Status => ({
  observedGeneration: 1,
  phase: 'Healthy',
  variants: [variant(overrides)],
  ...more,
});
const reasons = (before: Status | undefined, after: Status) =>
  transitionsOf(before, after).map(({ type, reason }) => `${type}/${reason}`);
const candidate = { revision: 'r2', startedAt: '', deadline: '', loaded: 0 };
const rejected = [{ revision: 'r2', reason: 'LoadFailed', message: 'cut short', time: '' }];

it('tells each step of a rollout once', () => {
  expect(reasons(undefined, status())).toEqual(['Normal/RevisionSelected']);
  expect(reasons(status(), status({ candidate }))).toEqual(['Normal/RolloutStarted']);
  expect(reasons(status({ candidate }), status({ candidate }))).toEqual([]);
  expect(reasons(status({ candidate }), status({ stable: 'r2' }))).toEqual(['Normal/Promoted']);
  expect(reasons(status({ candidate }), status({ rejected }))).toEqual(['Warning/ArtifactRejected']);
  expect(reasons(status({ rejected }), status({ rejected }))).toEqual([]);
});

it('names what was refused, why, and what goes on', () => {
  expect(transitionsOf(status({ candidate }), status({ rejected }))[0]?.message).toBe(
    'blue: r2 refused, r1 goes on: LoadFailed: cut short',
  );
});

it('tells of a weight when it is acknowledged', () => {
  expect(
    transitionsOf(status({ weight: 90, percent: '90%' }), status({ weight: 50, percent: '50%' }))[0]?.message,
  ).toBe('weights: blue 90 to 50 (50%)');
});

it('warns of what stands in the way, once for each reason', () => {
  const condition = (reason: string) =>
    ({
      type: 'ArtifactResolved',
      status: 'False',
      reason,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '',
    }) as const;
  const missing = status({}, { conditions: [condition('NoSuchKey')] });
  expect(reasons(status(), missing)).toEqual(['Warning/NoSuchKey']);
  expect(reasons(missing, missing)).toEqual([]);
  expect(reasons(missing, status({}, { conditions: [condition('AccessDenied')] }))).toEqual(['Warning/AccessDenied']);
});
