// The objects that a resource owns, in the order in which they are applied, and which of those that exist are to stay.
import { artifactConfigMapName, controllerRevisionName, routerName, serviceName, variantName } from './domain/names.ts';
import type { Observed, StoredRevision } from './domain/observed.ts';
import { durationMs } from './domain/duration.ts';
import type { RevisionSource } from './domain/revision.ts';
import type { RevisionStatus } from './domain/status.ts';
import type { TrafficPlan } from './domain/traffic.ts';
import type { PodTemplate, VariantDecision } from './domain/variant.ts';
import type { Runtime } from './domain/model-deployment.ts';
import type { PlanContext, Resource } from './domain/resource.ts';
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

/** Revisions of a variant that stay as history beside those that status names. */
const HISTORY = 10;

/** Every object that the decisions of this pass ask for. Equal input gives equal objects. */
export function buildChildren(input: ChildrenInput): Children {
  const owner: Owner = input.resource;
  const records = [...adminSecret(input, owner), ...newRevisions(input, owner)];
  const router = input.traffic.table === undefined ? [] : routerObjects(input, owner);
  const objects = [
    ...input.variants.flatMap((decision) => variantObjects(input, owner, decision)),
    ...router,
    buildService({ owner, settings: input.resource.spec.traffic.service, target: input.traffic.target }),
  ];
  const applied = new Set([...records, ...objects].map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const staying = stayingNames(input);
  const history = keptRevisions(input);
  const keeps = (kind: string, name: string) =>
    applied.has(`${kind}/${name}`) || (kind === 'ControllerRevision' ? history : staying).has(name);
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
      runtime,
      store: context.store(source.store) ?? { forcePathStyle: false },
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
  const { stable, candidate, sequence } = facts.state;
  const pinned = stable === undefined ? undefined : input.revisions.get(stable);
  const shown = input.revisions.get(candidate?.revision ?? stable ?? '');
  if (pinned === undefined || shown === undefined) return [];
  const variant = facts.name;
  const sha256 = pinned.artifact.sha256 ?? input.rows.find(({ name }) => name === pinned.name)?.sha256;
  const artifact = { ...pinned.artifact, ...(sha256 !== undefined && { sha256 }) };
  const store = input.context.store(artifact.store) ?? { forcePathStyle: false };
  const progressDeadlineMs = durationMs(input.resource.spec.rollout.progressDeadline);
  return [
    buildArtifactConfigMap({ owner, variant, revision: pinned.name, sequence, artifact, store }),
    buildVariantService(owner, variant),
    buildDisruptionBudget(owner, variant),
    buildDeployment({
      owner,
      variant,
      replicas: facts.replicas,
      template: shown.template,
      runtimeHash: shown.runtimeHash,
      progressDeadlineMs,
    }),
  ];
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
 * Names that stay: variants that are in the spec or still in the table that routers work by, and the router for as long as the Service
 * points at it. A variant's pods go only when every router has confirmed that they get nothing.
 */
function stayingNames({ resource, variants, traffic, observed }: ChildrenInput): ReadonlySet<string> {
  const routed =
    traffic.acknowledged || traffic.mode === 'Service'
      ? []
      : (observed.router.table?.slots ?? []).map(({ variant }) => variant);
  const held = traffic.table?.slots.map(({ variant }) => variant) ?? [];
  const direct = observed.service?.kind === 'variant' ? [observed.service.variant] : [];
  const names = new Set([...variants.map(({ facts }) => facts.name), ...routed, ...held, ...direct]);
  const router = traffic.mode === 'HAProxy' || observed.service?.kind === 'router' ? [routerName(resource.name)] : [];
  const ofVariants = [...names].flatMap((name) => [
    variantName(resource.name, name),
    artifactConfigMapName(resource.name, name),
  ]);
  return new Set([serviceName(resource.name), ...router, ...ofVariants]);
}

function keptRevisions({ resource, observed, rows }: ChildrenInput): ReadonlySet<string> {
  const named = new Set(rows.map(({ name }) => name));
  const byVariant = Map.groupBy(observed.revisions.values(), ({ variant }) => variant);
  const kept = [...byVariant.values()].flatMap((revisions) => {
    const newest = [...revisions].sort((a, b) => b.number - a.number);
    return newest.filter((revision, index) => index < HISTORY || named.has(revision.name));
  });
  return new Set(kept.map(({ name, variant }) => controllerRevisionName(resource.name, variant, name)));
}
