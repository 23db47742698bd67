// The objects that a resource owns, in the order in which they are applied, and which of those that exist are to stay.
import type { StoreSettings } from '../inference/contract.ts';
import { artifactConfigMapName, controllerRevisionName, routerName, serviceName, variantName } from './domain/names.ts';
import type { Observed, StoredRevision } from './domain/observed.ts';
import { durationMs } from './domain/duration.ts';
import type { RevisionSource } from './domain/revision.ts';
import { withLearnedSha256 } from './domain/revision-rows.ts';
import type { RevisionStatus } from './domain/status.ts';
import type { TrafficPlan } from './domain/traffic.ts';
import type { VariantFacts } from './domain/assess.ts';
import type { PodTemplate, VariantDecision } from './domain/variant.ts';
import type { Runtime } from './domain/model-deployment.ts';
import type { PlanContext, Resource } from './domain/resource.ts';
import { hashOf } from './runtime/hash.ts';
import { buildAdminSecret } from './resources/admin-secret.ts';
import { buildArtifactConfigMap } from './resources/artifact-config-map.ts';
import { buildControllerRevision } from './resources/controller-revision.ts';
import { buildDeployment } from './resources/deployment.ts';
import { buildDisruptionBudget } from './resources/disruption-budget.ts';
import type { Manifest, Owner } from './resources/metadata.ts';
import { buildPodTemplate } from './resources/pod-template.ts';
import { buildRouter } from './resources/router.ts';
import { buildService, buildVariantService } from './resources/service.ts';

export interface Children {
  /** Applied before the status that names them. */
  readonly records: readonly Manifest[];
  /** Applied after the status, dependencies first. */
  readonly objects: readonly Manifest[];
  /** True for an object of ours that has to stay although it is not applied in this pass. */
  readonly keeps: (kind: string, name: string) => boolean;
}

export interface ChildrenInput {
  readonly resource: Resource;
  readonly variants: readonly VariantDecision[];
  readonly traffic: TrafficPlan;
  readonly observed: Observed;
  readonly context: PlanContext;
  readonly revisions: ReadonlyMap<string, StoredRevision>;
  readonly rows: readonly RevisionStatus[];
}

/** Enough to tell two tokens apart, and nothing to guess one by. */
const TOKEN_STAMP_LENGTH = 8;
/** Revisions of a variant that stay as history beside those that status names. */
const HISTORY = 10;

/** Every object that the decisions of this pass ask for. Equal input gives equal objects. */
export function buildChildren(input: ChildrenInput): Children {
  const owner: Owner = input.resource;
  const records = [...adminSecret(input, owner), ...newRevisions(input, owner)];
  const router = routerObjects(input, owner);
  const objects = [
    ...input.variants.flatMap((decision) => variantObjects(input, owner, decision)),
    ...router,
    buildService({ owner, settings: input.resource.spec.traffic.service, target: input.traffic.target }),
  ];
  const applied = new Set([...records, ...objects].map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const present = stayingVariants(input);
  const staying = stayingNames(input, present);
  const history = keptRevisions(input, present);
  const keeps = (kind: string, name: string) =>
    input.traffic.present === 'unknown' ||
    applied.has(`${kind}/${name}`) ||
    (kind === 'ControllerRevision' ? history : staying).has(name);
  return { records, objects, keeps };
}

/** Renders pod templates for `decideVariant`, with the images and stores of today. */
export function templateRenderer(
  resource: Resource,
  context: PlanContext,
): (variant: string, runtime: Runtime, source: RevisionSource) => PodTemplate {
  return (variant, runtime, source) =>
    buildPodTemplate({
      modelDeployment: resource.name,
      variant,
      image: runtime.image ?? context.images.inference,
      inferenceImage: context.images.inference,
      runtime,
      store: settingsIn(context, source.store),
      bucket: source.bucket,
      region: source.region,
      credentialsSecret: source.credentials,
    });
}

function adminSecret({ observed, context }: ChildrenInput, owner: Owner): readonly Manifest[] {
  return observed.adminToken === undefined ? [buildAdminSecret(owner, context.newToken)] : [];
}

function newRevisions({ variants }: ChildrenInput, owner: Owner): readonly Manifest[] {
  return variants.flatMap(({ revision }) => {
    if (revision === undefined) return [];
    const { name, variant, number, template, artifact, runtimeHash } = revision;
    return [buildControllerRevision({ owner, variant, revision: name, number, template, artifact, runtimeHash })];
  });
}

/** What one variant needs. Nothing while no revision is known: there is nothing to serve yet. */
function variantObjects(input: ChildrenInput, owner: Owner, { facts }: VariantDecision): readonly Manifest[] {
  const { stable, candidate } = facts.state;
  const pinned = stable === undefined ? undefined : input.revisions.get(stable);
  const shown = input.revisions.get(candidate?.revision ?? stable ?? '');
  if (pinned === undefined || shown === undefined) return [];
  const variant = facts.name;
  const tokenStamp = tokenStampOf(input.observed, facts);
  const progressDeadlineMs = durationMs(input.resource.spec.rollout.progressDeadline);
  return [
    artifactFile(input, owner, facts, isSamePlace(pinned, shown) ? pinned : shown),
    buildVariantService(owner, variant),
    buildDisruptionBudget(owner, variant),
    buildDeployment({
      owner,
      variant,
      replicas: replicasOf(input, facts),
      template: shown.template,
      runtimeHash: shown.runtimeHash,
      progressDeadlineMs,
      ...(tokenStamp !== undefined && { tokenStamp }),
    }),
  ];
}

/**
 * Pods that refuse the token were started with another one, since somebody has deleted or changed the Secret while no operator remembered it: a stamp
 * in the template replaces them, in the way of any rolling update. It stays from then on, since its going would replace them once more.
 */
function tokenStampOf({ adminToken, variants }: Observed, { name, pods }: VariantFacts): string | undefined {
  const present = variants.get(name)?.workload?.tokenStamp;
  if (adminToken === undefined) return present;
  const isWanted = present !== undefined || pods.some(({ refusesToken }) => refusesToken);
  return isWanted ? hashOf(adminToken).slice(0, TOKEN_STAMP_LENGTH) : undefined;
}

/** What a pod loads when it starts. */
function artifactFile(
  { context, rows }: ChildrenInput,
  owner: Owner,
  { name: variant, state }: VariantFacts,
  revision: StoredRevision,
): Manifest {
  const artifact = withLearnedSha256(revision, rows);
  const store = withoutRegion(settingsIn(context, artifact.store));
  return buildArtifactConfigMap({ owner, variant, revision: revision.name, sequence: state.sequence, artifact, store });
}

function settingsIn(context: PlanContext, store: string): StoreSettings {
  return context.store(store) ?? { forcePathStyle: false };
}

/** The region is in the pod's environment: the one of the spec goes before the store's. */
function withoutRegion(settings: StoreSettings): StoreSettings {
  if (settings.kind === 'http') return settings;
  const { endpoint, forcePathStyle } = settings;
  return { forcePathStyle, ...(endpoint !== undefined && { endpoint }) };
}

/** A pod reads one bucket for as long as it lives: where the candidate is in another one, the pods that replace the present ones start on it. */
function isSamePlace({ artifact: a }: StoredRevision, { artifact: b }: StoredRevision): boolean {
  return a.store === b.store && a.bucket === b.bucket;
}

/** Pods that may still get requests by the former weights are not removed. */
function replicasOf({ traffic, observed }: ChildrenInput, { name, replicas }: VariantFacts): number {
  return traffic.acknowledged ? replicas : Math.max(replicas, observed.variants.get(name)?.workload?.replicas ?? 0);
}

function routerObjects({ resource, traffic, context }: ChildrenInput, owner: Owner): readonly Manifest[] {
  if (traffic.table === undefined) return [];
  const { sticky, overrideHeader } = resource.spec.traffic;
  return buildRouter({
    owner,
    images: { haproxy: context.images.router, operator: context.images.operator },
    table: traffic.table,
    ...(sticky !== undefined && { sticky }),
    ...(overrideHeader !== undefined && { overrideHeader }),
  });
}

/**
 * Variants whose objects stay: those of the spec, and those that may still get requests. A variant's pods go only when every router has confirmed
 * that they get nothing, or when the Service is seen to point elsewhere.
 */
function stayingVariants({ variants, traffic, observed }: ChildrenInput): ReadonlySet<string> {
  const { service } = observed;
  const present = traffic.present === 'unknown' ? undefined : traffic.present;
  const isPast = traffic.mode === 'Service' ? service?.kind !== 'router' : traffic.acknowledged;
  const routed = isPast ? [] : (present?.slots ?? []).map(({ variant }) => variant);
  const held = traffic.table?.slots.map(({ variant }) => variant) ?? [];
  const direct = service?.kind === 'variant' ? [service.variant] : [];
  return new Set([...variants.map(({ facts }) => facts.name), ...routed, ...held, ...direct]);
}

/** The router stays for as long as the Service points at it. */
function stayingNames(
  { resource, traffic, observed }: ChildrenInput,
  variants: ReadonlySet<string>,
): ReadonlySet<string> {
  const router = traffic.mode === 'HAProxy' || observed.service?.kind === 'router' ? [routerName(resource.name)] : [];
  const ofVariants = [...variants].flatMap((name) => [
    variantName(resource.name, name),
    artifactConfigMapName(resource.name, name),
  ]);
  return new Set([serviceName(resource.name), ...router, ...ofVariants]);
}

function keptRevisions({ resource, observed, rows }: ChildrenInput, present: ReadonlySet<string>): ReadonlySet<string> {
  const named = new Set(rows.map(({ name }) => name));
  const ofPresent = [...observed.revisions.values()].filter(({ variant }) => present.has(variant));
  const byVariant = Map.groupBy(ofPresent, ({ variant }) => variant);
  const kept = [...byVariant.values()].flatMap((revisions) => {
    const newest = [...revisions].sort((a, b) => b.number - a.number);
    return newest.filter((revision, index) => index < HISTORY || named.has(revision.name));
  });
  return new Set(kept.map(({ name, variant }) => controllerRevisionName(resource.name, variant, name)));
}
