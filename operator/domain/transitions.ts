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
  const variants = (after.variants ?? []).flatMap((variant) => {
    const last = before?.variants?.find(({ name }) => name === variant.name);
    return [...rolloutTransitions(last, variant), ...weightTransition(last, variant)];
  });
  return [...variants, ...conditionTransitions(before, after)];
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
