// Events for people: what changed between two statuses, one event a change, none a pass.
import type { Condition, Status, VariantStatus } from './status.ts';

export interface Transition {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly message: string;
}

/** The events that tell the step from `before` to `after`. */
export function transitionsOf(before: Status | undefined, after: Status): readonly Transition[] {
  const rollouts = (after.variants ?? []).flatMap((variant) =>
    rolloutTransitions(variantOf(before, variant.name), variant),
  );
  return [...rollouts, ...weightTransition(before, after), ...conditionTransitions(before, after)];
}

function variantOf(status: Status | undefined, name: string): VariantStatus | undefined {
  return status?.variants?.find((variant) => variant.name === name);
}

function rolloutTransitions(before: VariantStatus | undefined, after: VariantStatus): readonly Transition[] {
  return [
    ...startTransition(before, after),
    ...promotionTransition(before, after),
    ...rejectionTransitions(before, after),
  ];
}

function startTransition(
  before: VariantStatus | undefined,
  { name, stable, candidate }: VariantStatus,
): readonly Transition[] {
  if (candidate === undefined || candidate.revision === before?.candidate?.revision) return [];
  return [normal('RolloutStarted', 'Reload', `${name}: ${stable ?? 'none'} to ${candidate.revision}`)];
}

function promotionTransition(
  before: VariantStatus | undefined,
  { name, stable }: VariantStatus,
): readonly Transition[] {
  if (stable === undefined || stable === before?.stable) return [];
  return [
    normal(
      before?.stable === undefined ? 'RevisionSelected' : 'Promoted',
      'Promote',
      `${name}: ${stable} is the stable revision`,
    ),
  ];
}

function rejectionTransitions(
  before: VariantStatus | undefined,
  { name, stable, rejected = [] }: VariantStatus,
): readonly Transition[] {
  const known = new Set(before?.rejected?.map(({ revision }) => revision));
  return rejected
    .filter(({ revision }) => !known.has(revision))
    .map(({ revision, reason, message }) =>
      warning(
        'ArtifactRejected',
        'Reload',
        `${name}: ${revision} refused, ${stable ?? 'nothing'} goes on: ${reason}: ${message}`,
      ),
    );
}

/** One event for all weights: they were committed together. */
function weightTransition(before: Status | undefined, after: Status): readonly Transition[] {
  const changed = (after.variants ?? []).flatMap(({ name, weight, percent }) => {
    const last = variantOf(before, name)?.weight;
    return weight === undefined || weight === last ? [] : [`${name} ${last ?? 0} to ${weight} (${percent ?? ''})`];
  });
  return changed.length === 0 ? [] : [normal('WeightApplied', 'SetWeight', `weights: ${changed.join(', ')}`)];
}

/** Warnings for what stands in the way: the artifact's store, names, deadlines. */
function conditionTransitions(before: Status | undefined, after: Status): readonly Transition[] {
  return (after.conditions ?? []).flatMap((condition) => {
    const last = before?.conditions?.find(({ type }) => type === condition.type);
    return last?.status === condition.status && last.reason === condition.reason ? [] : conditionTransition(condition);
  });
}

function conditionTransition({ type, status, reason, message }: Condition): readonly Transition[] {
  if (type === 'Ready') return status === 'True' ? [normal('Ready', 'Reconcile', message)] : [];
  if (type === 'Stalled') return [warning(reason, 'Reconcile', message)];
  const fromStore = type === 'ArtifactResolved' || type === 'ArtifactDurable';
  return fromStore && status !== 'True' && reason !== 'Pending' ? [warning(reason, 'Resolve', message)] : [];
}

function normal(reason: string, action: string, message: string): Transition {
  return { type: 'Normal', reason, action, message };
}

function warning(reason: string, action: string, message: string): Transition {
  return { type: 'Warning', reason, action, message };
}
