// A rollout from r1 to r2 that has begun, and what it asks of the pods.
import {
  nextRolloutState,
  reloadCalls,
  type RolloutState,
  type VariantInput,
} from '../../operator/domain/hot-reload.ts';
import type { PodObserved } from '../../operator/domain/observed.ts';
import type { FailureReason } from '../../inference/contract.ts';
import { aPod, aReport, aVariantInput } from './a-variant.ts';

export const NOW = Date.parse('2026-01-01T00:00:00Z');

/** The calls of a pass: pod:revision. */
export function names(input: VariantInput, state: RolloutState = nextRolloutState(input, NOW)): string[] {
  return reloadCalls(state, input, NOW).map(({ pod, revision }) => `${pod.name}:${revision}`);
}

export function rollout(overrides: Partial<VariantInput> = {}): VariantInput {
  const first = aVariantInput({ target: 'r2' });
  return aVariantInput({ target: 'r2', state: nextRolloutState(first, NOW), ...overrides });
}

/** A pod that goes on with r1 since it cannot, or will not, take r2. */
export function refusing(name: string, sequence: number, reason: FailureReason = 'LoadFailed'): PodObserved {
  const failure = { reason, message: 'cut short', revision: 'r2', sequence };
  return aPod(name, 'r1', { report: aReport('r1', { failure }) });
}
