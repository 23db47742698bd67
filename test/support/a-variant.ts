// Builders of what a planner sees: a variant's input and its pods, with overrides.
import type { ModelInfo } from '../../inference/contract.ts';
import type { HotReloadSettings, RolloutState, VariantInput } from '../../operator/domain/hot-reload.ts';
import type { PodObserved } from '../../operator/domain/observed.ts';

/** What a pod says that serves `revision`, or nothing when undefined. */
export function aReport(revision: string | undefined, overrides: Partial<ModelInfo> = {}): ModelInfo {
  return {
    version: revision === undefined ? null : `version-${revision}`,
    model_type: 'RandomForestClassifier',
    features: [],
    metrics: {},
    loaded_at: null,
    artifact: revision === undefined ? null : { revision, version: `version-${revision}`, sha256: 'a'.repeat(64) },
    variant: 'blue',
    sequence: 1,
    ...overrides,
  };
}

/** A ready pod that serves `revision`. */
export function aPod(name: string, revision: string | undefined, overrides: Partial<PodObserved> = {}): PodObserved {
  return {
    name,
    uid: `uid-${name}`,
    ip: '10.0.0.1',
    ready: revision !== undefined,
    terminating: false,
    restarts: 0,
    report: aReport(revision),
    ...overrides,
  };
}

/** The defaults of the resource. */
export const SETTINGS = {
  maxConcurrent: '25%',
  soakMs: 0,
  progressDeadlineMs: 600_000,
  allowSchemaChange: false,
} satisfies HotReloadSettings;

export function aVariantInput(overrides: Partial<VariantInput> = {}): VariantInput {
  const state: RolloutState = { stable: 'r1', sequence: 1 };
  return {
    state,
    resumed: false,
    target: 'r1',
    proven: true,
    pods: [aPod('a', 'r1'), aPod('b', 'r1')],
    rolledOut: true,
    replicas: 2,
    suspended: false,
    settings: SETTINGS,
    ...overrides,
  };
}
