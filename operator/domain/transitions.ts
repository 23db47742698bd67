// Events for people: what changed between two statuses, one event a change, none a pass.
import type { Status, VariantStatus } from './status.ts';

export interface Transition {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly message: string;
}

/** The events that tell the step from `before` to `after`. */
export function transitionsOf(before: Status | undefined, after: Status): readonly Transition[] {
  const variants = (after.variants ?? []).flatMap((variant) => {
    const last = before?.variants?.find(({ name }) => name === variant.name);
    return [...rolloutTransitions(last, variant), ...weightTransition(last, variant)];
  });
  return [...variants, ...conditionTransitions(before, after)];
}

function rolloutTransitions(before: VariantStatus | undefined, after: VariantStatus): readonly Transition[] {
  const { name, candidate, stable } = after;
  const found: Transition[] = [];
  if (candidate !== undefined && candidate.revision !== before?.candidate?.revision) {
    found.push(normal('RolloutStarted', 'Reload', `${name}: ${stable ?? 'none'} to ${candidate.revision}`));
  }
  if (stable !== undefined && stable !== before?.stable) {
    found.push(
      normal(
        before?.stable === undefined ? 'RevisionSelected' : 'Promoted',
        'Promote',
        `${name}: ${stable} is the stable revision`,
      ),
    );
  }
  for (const rejection of after.rejected ?? []) {
    const known = before?.rejected?.some(({ revision }) => revision === rejection.revision) ?? false;
    if (!known)
      found.push(
        warning(
          'ArtifactRejected',
          'Reload',
          `${name}: ${rejection.revision} refused, ${stable ?? 'nothing'} goes on: ${rejection.reason}: ${rejection.message}`,
        ),
      );
  }
  return found;
}

function weightTransition(before: VariantStatus | undefined, after: VariantStatus): readonly Transition[] {
  if (after.weight === undefined || after.weight === before?.weight) return [];
  return [
    normal(
      'WeightApplied',
      'SetWeight',
      `${after.name}: weight ${before?.weight ?? 0} to ${after.weight} (${after.percent ?? ''})`,
    ),
  ];
}

/** Warnings for what stands in the way: the artifact's store, names, deadlines. */
function conditionTransitions(before: Status | undefined, after: Status): readonly Transition[] {
  return (after.conditions ?? []).flatMap(({ type, status, reason, message }) => {
    const last = before?.conditions?.find((condition) => condition.type === type);
    if (last?.status === status && last.reason === reason) return [];
    if (type === 'Stalled') return [warning(reason, 'Reconcile', message)];
    if (type === 'ArtifactResolved' && status !== 'True' && reason !== 'Pending')
      return [warning(reason, 'Resolve', message)];
    if (type === 'ArtifactDurable' && status === 'False') return [warning(reason, 'Resolve', message)];
    if (type === 'Ready' && status === 'True') return [normal('Ready', 'Reconcile', message)];
    return [];
  });
}

function normal(reason: string, action: string, message: string): Transition {
  return { type: 'Normal', reason, action, message };
}

function warning(reason: string, action: string, message: string): Transition {
  return { type: 'Warning', reason, action, message };
}
