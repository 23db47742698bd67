// One pass as data: what the resource, its status and the observed world lead to. Pure: the same input gives the same plan, and planning the state
// that a plan produces gives an empty one. Decisions are in domain/, manifests in resources/; here they meet.
import type { ReloadBody } from '../inference/contract.ts';
import { assess, type Assessment } from './domain/assess.ts';
import { clip, finding, stampConditions, type Finding } from './domain/conditions.ts';
import { defined } from './domain/defined.ts';
import { durationMs } from './domain/duration.ts';
import { recheckAfter, reloadCalls } from './domain/hot-reload.ts';
import { selectorText, variantSelector } from './domain/labels.ts';
import type { Observed, PodObserved, RouterPodObserved, StoredRevision } from './domain/observed.ts';
import type { PlanContext, Resource } from './domain/resource.ts';
import { decideVariant, type VariantDecision } from './domain/variant.ts';
import type { Condition, Draining, RevisionStatus, Status } from './domain/status.ts';
import { messageOf, phaseOf, summaryOf, urlOf, variantStatus } from './domain/summary.ts';
import { confirmationPollMs, routerToReplace } from './domain/router-silence.ts';
import { planTraffic, trafficMode, type TrafficPlan } from './domain/traffic.ts';
import { livePods } from './domain/wave.ts';
import { revisionRows, withLearnedSha256 } from './domain/revision-rows.ts';
import { buildChildren, templateRenderer, type Children } from './children.ts';

export interface PodCall {
  readonly pod: PodObserved;
  readonly body: ReloadBody;
}

export interface Promotion {
  readonly variant: string;
  readonly revision: string;
  /** Ms since the List (or HEAD) was sent that first saw the version; undefined when the store has moved on or was not asked. */
  readonly sinceListedMs: number | undefined;
}

export interface Plan {
  readonly status: Status;
  readonly children: Children;
  readonly reloads: readonly PodCall[];
  /** Variants whose pods have all taken a new artifact, seen for the first time in this pass. */
  readonly promotions: readonly Promotion[];
  /** Pods to be told to end the connections that are open now. */
  readonly drain: { readonly id: string; readonly pods: readonly PodObserved[] } | undefined;
  /** A router that has been silent for too long: its pod is deleted, so that another one takes its place. */
  readonly muteRouter: RouterPodObserved | undefined;
  /** Routers have yet to confirm the table. */
  readonly isConfirming: boolean;
  /** A pod that is ready did not say what it serves: nobody will tell when it does. */
  readonly isUnheard: boolean;
  /** Look again after so many ms although nothing happened. */
  readonly requeueAfterMs: number | undefined;
}

const DRAIN_LIMIT_MS = 120_000;
/** While something is under way that no watch reports: a load that goes on, a drain. */
const BUSY_RECHECK_MS = 250;
/** While a pod loads something without being asked about it again: no event tells when it serves that. */
const LOADING_RECHECK_MS = 1000;

export function plan(resource: Resource, observed: Observed, context: PlanContext, now: number): Plan {
  const rendering = { ...context, render: templateRenderer(resource, context) };
  const variants = resource.spec.variants.map((variant) =>
    decideVariant(resource, variant, { observed, context: rendering, now }),
  );
  const traffic = planResourceTraffic(resource, variants, observed);
  const draining = nextDraining(resource, traffic, observed, now);
  const revisions = knownRevisions(variants, observed);
  const status = nextStatus(resource, { variants, traffic, revisions, obstacles: observed.obstacles, draining }, now);
  const reloads = variants.flatMap((decision) => callsOf(decision, revisions, status.revisions ?? [], now));
  const pods = variants.flatMap(({ facts }) => livePods(facts.pods));
  return {
    status,
    children: buildChildren({
      resource,
      variants,
      traffic,
      observed,
      context,
      revisions,
      rows: status.revisions ?? [],
    }),
    reloads,
    promotions: promotionsOf(resource, variants, now),
    drain: draining && { id: draining.id, pods },
    muteRouter: traffic.confirming ? routerToReplace(observed.router) : undefined,
    isConfirming: traffic.confirming,
    isUnheard: pods.some((pod) => pod.ready && pod.report === undefined),
    requeueAfterMs: nextLook(
      resource,
      variants,
      [
        ...(reloads.length > 0 || draining !== undefined ? [BUSY_RECHECK_MS] : []),
        ...(pods.some(isReloading) ? [LOADING_RECHECK_MS] : []),
        ...(traffic.confirming ? [confirmationPollMs(observed.router.waitedMs ?? 0)] : []),
      ],
      now,
    ),
  };
}

function planResourceTraffic(
  resource: Resource,
  variants: readonly VariantDecision[],
  observed: Observed,
): TrafficPlan {
  const capacity = variants.map(({ facts }) => ({
    name: facts.name,
    weight: facts.weight,
    replicas: facts.replicas,
    ready: facts.serving.length,
  }));
  const input = {
    resource: resource.name,
    traffic: resource.spec.traffic,
    variants: capacity,
    leaving: observed.leaving,
    router: observed.router,
    service: observed.service,
    confirmed: (resource.status?.variants ?? []).flatMap(({ name, weight }) =>
      weight === undefined ? [] : [{ name, weight }],
    ),
  };
  return planTraffic(input, trafficMode(resource.spec));
}

/** Connections from before the Service pointed at routers stay on the model pods until those end them. */
function nextDraining(resource: Resource, traffic: TrafficPlan, observed: Observed, now: number): Draining | undefined {
  const flips = traffic.target.kind === 'router' && observed.service?.kind === 'variant';
  const before = resource.status?.draining;
  const id = `${resource.uid.slice(0, 8)}-${resource.generation}`;
  // The Service may take several attempts: the time counts from the first.
  if (flips) return before?.id === id ? before : { id, until: new Date(now + DRAIN_LIMIT_MS).toISOString() };
  if (before === undefined || Date.parse(before.until) <= now) return undefined;
  return observed.drained ? undefined : before;
}

interface Decided {
  readonly variants: readonly VariantDecision[];
  readonly traffic: TrafficPlan;
  readonly revisions: ReadonlyMap<string, StoredRevision>;
  readonly obstacles: Observed['obstacles'];
  readonly draining: Draining | undefined;
}

function nextStatus(resource: Resource, decided: Decided, now: number): Status {
  const { variants, traffic, revisions, obstacles, draining } = decided;
  const { spec, generation, status: before } = resource;
  const facts = {
    suspended: spec.suspend,
    progressDeadlineMs: durationMs(spec.rollout.progressDeadline),
    variants: variants.map((decision) => decision.facts),
    traffic,
    obstacles,
  };
  const findings = assess(facts, now);
  const rows = variants.map(({ facts: variant }) =>
    variantStatus(
      variant,
      traffic.shares.get(variant.name),
      before?.variants?.find(({ name }) => name === variant.name),
    ),
  );
  const only = variants.length === 1 ? variants[0] : undefined;
  return {
    observedGeneration: generation,
    ...(isAsking(resource, variants) ? saidBefore(before) : saying(facts, findings, before, generation, now)),
    summary: summaryOf(facts, rows, urlOf(resource.name, resource.namespace, spec.traffic.service.port)),
    revisions: revisionRows(variants, revisions, before?.revisions ?? []),
    variants: rows,
    ...(draining !== undefined && { draining }),
    replicas: variants.reduce((sum, { facts: variant }) => sum + livePods(variant.pods).length, 0),
    selector: only === undefined ? '' : selectorText(variantSelector(resource.name, only.facts.name)),
  };
}

type Said = Pick<Status, 'phase' | 'message' | 'conditions'>;

function saying(
  facts: Assessment,
  findings: readonly Finding[],
  before: Status | undefined,
  generation: number,
  now: number,
): Said {
  const message = messageOf(facts, findings);
  return {
    phase: phaseOf(facts, findings),
    ...(message !== undefined && { message }),
    conditions: stampConditions(before?.conditions, findings, generation, now),
  };
}

function saidBefore({ phase = 'Pending', message, conditions }: Partial<Status> = {}): Said {
  return { phase, ...(message !== undefined && { message }), ...(conditions !== undefined && { conditions }) };
}

/**
 * This process has not heard of a key that is served already: what was said of this generation goes on holding, so that a restart of the operator
 * writes nothing.
 */
function isAsking({ generation, status }: Resource, variants: readonly VariantDecision[]): boolean {
  const pending = variants.some(
    ({ facts: { artifact, state, target } }) =>
      artifact.kind === 'pending' && target === undefined && state.stable !== undefined,
  );
  return pending && status?.observedGeneration === generation;
}

/** Stored revisions and the ones that this pass is about to store. */
function knownRevisions(variants: readonly VariantDecision[], observed: Observed): ReadonlyMap<string, StoredRevision> {
  const fresh = variants.flatMap(({ revision }) =>
    revision === undefined ? [] : [[revision.name, revision] as const],
  );
  return new Map([...observed.revisions, ...fresh]);
}

/** Its present version may give way to another one at any moment. One that has none yet tells by becoming ready. */
function isReloading({ report }: PodObserved): boolean {
  return report?.loading !== undefined && report.artifact !== null;
}

function callsOf(
  decision: VariantDecision,
  revisions: ReadonlyMap<string, StoredRevision>,
  rows: readonly RevisionStatus[],
  now: number,
): readonly PodCall[] {
  const { state } = decision.facts;
  return reloadCalls(state, decision.input, now).flatMap(({ pod, revision, allowSchemaChange }) => {
    const stored = revisions.get(revision);
    if (stored === undefined) return [];
    const { key, versionId, etag, sha256, size } = withLearnedSha256(stored, rows);
    const keep = [state.stable, state.previous].filter((name) => name !== undefined);
    const version = defined({ revision, key, versionId, etag, sha256, size });
    return [
      { pod, body: { sequence: state.sequence, ...version, keep, ...(allowSchemaChange && { allowSchemaChange }) } },
    ];
  });
}

function promotionsOf(resource: Resource, variants: readonly VariantDecision[], now: number): readonly Promotion[] {
  return variants.flatMap(({ facts: { name, state, artifact, target } }) => {
    const before = resource.status?.variants?.find((variant) => variant.name === name)?.stable;
    if (before === undefined || state.stable === undefined || before === state.stable) return [];
    const listed = artifact.kind === 'resolved' && state.stable === target ? artifact.listedAt : undefined;
    return [{ variant: name, revision: state.stable, sinceListedMs: listed === undefined ? undefined : now - listed }];
  });
}

function nextLook(
  resource: Resource,
  variants: readonly VariantDecision[],
  unwatched: readonly number[],
  now: number,
): number | undefined {
  const deadlineMs = durationMs(resource.spec.rollout.progressDeadline);
  const times = variants.flatMap(({ facts }) => [
    recheckAfter(facts.state, facts.pods, now),
    untilMissingStalls(facts, deadlineMs, now),
  ]);
  const ahead = times.filter((ms) => ms !== undefined && ms > 0).map(Number);
  const soonest = [...ahead, ...unwatched];
  return soonest.length > 0 ? Math.min(...soonest) : undefined;
}

/** A key that the store does not have turns from unfinished to stalled without any event. */
function untilMissingStalls(
  { artifact, missingSince }: VariantDecision['facts'],
  deadlineMs: number,
  now: number,
): number | undefined {
  if (artifact.kind !== 'failed') return undefined;
  return (missingSince ?? now) + deadlineMs - now;
}

/** The status of a resource that was stored before a rule existed which it breaks. */
export function invalidStatus(resource: Pick<Resource, 'generation' | 'status'>, problem: string, now: number): Status {
  return blockedStatus(resource, { reason: 'InvalidSpec', message: problem }, now);
}

/** The status of a resource for which nothing can be done: what was said of its parts stays, and why nothing more is. */
export function blockedStatus(
  { generation, status }: { readonly generation: number; readonly status?: Status | undefined },
  { reason, message }: Pick<Condition, 'reason' | 'message'>,
  now: number,
): Status {
  const findings = [finding('Ready', false, reason, message), finding('Stalled', true, reason, message)];
  const parts = (status?.conditions ?? []).filter(({ type }) => !['Ready', 'Reconciling', 'Stalled'].includes(type));
  return {
    ...status,
    observedGeneration: generation,
    phase: 'Degraded',
    message: clip(message),
    conditions: [...stampConditions(status?.conditions, findings, generation, now), ...parts],
  };
}
