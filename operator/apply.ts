// The only writes of a reconcile, in plan order: records, the status that names them, children, what is no longer wanted, calls to pods.
import { canonicalJson } from './runtime/canonical-json.ts';
import { PRUNED, type Deps, type PrunedKind } from './deps.ts';
import { transitionsOf } from './domain/transitions.ts';
import type { Obstacle } from './domain/observed.ts';
import type { Status } from './domain/status.ts';
import { KubeError, NameConflictError } from './kube/errors.ts';
import { RESOURCES } from './kube/resources.ts';
import type { ResourceType } from './kube/resources.ts';
import { MODEL_DEPLOYMENT } from './model-deployment-type.ts';
import { blockedStatus, type Plan, type PodCall } from './plan.ts';
import type { Pass } from './pass.ts';
import type { Manifest } from './resources/metadata.ts';

/** What came of a plan. */
export interface Outcome {
  /** Pods changed what they serve, or said no: look again at once. */
  readonly moved: boolean;
  /** Something in the surroundings failed (a pod, a store, a name): look again after a back-off. */
  readonly failed: boolean;
  /** The API server refused the status: what only status remembers was left undone. */
  readonly untold: boolean;
}

const RELOAD_WAIT_SECONDS = 5;
const RELOAD_DEADLINE_MS = 10_000;
const DRAIN_DEADLINE_MS = 3000;
const WRITABLE: Readonly<Record<string, ResourceType>> = RESOURCES;

/** Carries out a plan. Throws KubeError and NotLeadingError; a name that is taken is noted and does not stop the other children. */
export async function applyPlan(pass: Pass, plan: Plan, token: string): Promise<Outcome> {
  const { deps, key } = pass;
  const missing = await applyAll(pass, plan.children.records);
  if (missing.length > 0) return withoutRecords(pass, missing);
  const untold = !(await writeStatus(pass, plan.status));
  if (!untold) notePromotions(deps, key, plan);
  const obstacles = await applyAll(pass, plan.children.objects);
  const news = deps.memory.noteObstacles(key, obstacles);
  await prune(pass, plan);
  await replaceRouter(pass, plan);
  // Pods are told nothing that would be forgotten: a candidate that they refuse would be tried for ever.
  if (untold) return { moved: false, failed: obstacles.length > 0, untold };
  await drainPods(pass, plan, token);
  const calls = await Promise.all(plan.reloads.map((call) => reloadPod(pass, call, token)));
  return {
    moved: news || calls.includes('moved'),
    failed: obstacles.length > 0 || plan.isUnheard || calls.includes('failed'),
    untold,
  };
}

/** Status must not name what is not recorded: nothing else of the plan is carried out, and status says only what stands in the way. */
async function withoutRecords(pass: Pass, obstacles: readonly Obstacle[]): Promise<Outcome> {
  const { deps, key, resource } = pass;
  const [first] = obstacles;
  if (first !== undefined) await writeStatus(pass, blockedStatus(resource, first, deps.clock.now()));
  return { moved: deps.memory.noteObstacles(key, obstacles), failed: true, untold: false };
}

/**
 * Writes the status when it says something new, and tells of it by events. False when the API server refuses it as invalid, which means that its
 * CustomResourceDefinition is not ours: then an event and the log say so.
 */
export async function writeStatus(pass: Pass, status: Status): Promise<boolean> {
  const { deps, key, resource, signal } = pass;
  if (canonicalJson(resource.status) === canonicalJson(status)) return true;
  const { namespace, name, uid, resourceVersion } = resource;
  try {
    await deps.writer.applyStatus(MODEL_DEPLOYMENT, { namespace, name, uid, resourceVersion }, status, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || !error.isInvalid) throw error;
    tellRefused(pass, error);
    return false;
  }
  for (const transition of transitionsOf(resource.status, status)) deps.emit(resource, transition);
  deps.log.info(
    { modelDeployment: key, phase: status.phase, message: status.message, generation: resource.generation },
    'status changed',
  );
  return true;
}

function tellRefused({ deps, key, resource }: Pass, { status, message }: KubeError): void {
  deps.metrics.statusRefused.inc();
  deps.log.error({ modelDeployment: key, status, message }, 'API server refuses the status');
  deps.emit(resource, {
    type: 'Warning',
    reason: 'StatusRefused',
    action: 'Reconcile',
    message: `the status does not fit the CustomResourceDefinition, which may be older than the operator: ${message}`,
  });
}

/** Applies each object; returns what the API server will not have. One that is refused does not keep the others from being made. */
async function applyAll(pass: Pass, objects: readonly Manifest[]): Promise<readonly Obstacle[]> {
  const obstacles: Obstacle[] = [];
  for (const object of objects) {
    const obstacle = await applyOne(pass, object);
    if (obstacle !== undefined) obstacles.push(obstacle);
  }
  return obstacles;
}

async function applyOne({ deps, signal }: Pass, object: Manifest): Promise<Obstacle | undefined> {
  const type = WRITABLE[object.kind];
  if (type === undefined) throw new TypeError(`no REST path is known for kind ${object.kind}`);
  const child = `${object.kind} ${object.metadata.name}`;
  try {
    const { outcome } = await deps.writer.apply(type, object, signal);
    if (outcome === 'created' || outcome === 'updated')
      deps.log.info({ kind: object.kind, name: object.metadata.name, outcome }, 'object applied');
    return undefined;
  } catch (error) {
    if (error instanceof NameConflictError) {
      return {
        reason: 'NameConflict',
        message: `${child} exists and belongs to somebody else; delete it or rename the ModelDeployment`,
      };
    }
    if (!(error instanceof KubeError) || error.isTransient || error.isNotFound) throw error;
    return { reason: error.isQuotaExceeded ? 'QuotaExceeded' : 'ApplyRefused', message: `${child}: ${error.message}` };
  }
}

function notePromotions({ log, metrics }: Deps, key: string, plan: Plan): void {
  for (const { variant, revision, sinceListedMs } of plan.promotions) {
    if (sinceListedMs !== undefined) metrics.artifactToPods.observe(sinceListedMs / 1000);
    log.info({ modelDeployment: key, variant, revision, sinceListedMs }, 'revision promoted: every pod reports it');
  }
}

async function prune(pass: Pass, plan: Plan): Promise<void> {
  for (const kind of PRUNED) {
    for (const child of pass.deps.caches[kind].byOwner(pass.resource.uid)) {
      if (child.terminating || plan.children.keeps(kind, child.name)) continue;
      await deleteChild(pass, kind, child);
    }
  }
}

async function deleteChild(
  { deps, signal }: Pass,
  kind: PrunedKind,
  child: { readonly namespace: string; readonly name: string; readonly uid: string },
): Promise<void> {
  const result = await deps.writer.delete(RESOURCES[kind], child, 'Background', signal);
  if (result === 'deleted') deps.log.info({ kind, name: child.name }, 'object no longer wanted: deleted');
}

/** Its Deployment makes another one in its place. */
async function replaceRouter({ deps, key, resource, signal }: Pass, { muteRouter }: Plan): Promise<void> {
  if (muteRouter === undefined) return;
  const { name, uid, silence } = muteRouter;
  await deps.writer.delete(RESOURCES.Pod, { namespace: resource.namespace, name, uid }, 'Background', signal);
  deps.routers.noteReplaced(key, uid);
  deps.log.warn(
    { modelDeployment: key, pod: name, silentMs: silence?.ms },
    'router replaced: it is ready but does not answer',
  );
  deps.emit(resource, {
    type: 'Warning',
    reason: 'RouterReplaced',
    action: 'Delete',
    message: `pod ${name} was ready but did not say what it applies: deleted, another one takes its place`,
  });
}

/** The drain is over when every pod says that nothing is left of it. A pod that is silent keeps it open until the plan gives up. */
async function drainPods({ deps, key, signal }: Pass, { drain }: Plan, token: string): Promise<void> {
  if (drain === undefined) return;
  const options = { signal, deadlineMs: DRAIN_DEADLINE_MS };
  const answers = await Promise.all(
    drain.pods.map(async ({ ip }) => (ip === undefined ? undefined : deps.pods.drain(ip, token, drain.id, options))),
  );
  if (answers.every((answer) => answer?.kind === 'draining' && answer.remaining === 0))
    deps.memory.noteDrained(key, drain.id);
}

/** One reload call. What the pod really serves is asked afterwards: only its own report counts. */
async function reloadPod(
  { deps, key, signal }: Pass,
  { pod, body }: PodCall,
  token: string,
): Promise<'moved' | 'waiting' | 'failed'> {
  if (pod.ip === undefined) return 'failed';
  const outcome = await deps.pods.reload(
    pod.ip,
    token,
    { ...body, wait: RELOAD_WAIT_SECONDS },
    { signal, deadlineMs: RELOAD_DEADLINE_MS },
  );
  const isUnheard = outcome.kind === 'stale' || (outcome.kind === 'unreachable' && outcome.isRefused);
  if (isUnheard) deps.reports.invalidate(key, pod.uid);
  else deps.reports.noteTold(key, pod, body.revision ?? '');
  const detail =
    'message' in outcome ? { reason: 'reason' in outcome ? outcome.reason : undefined, message: outcome.message } : {};
  deps.log.info(
    {
      modelDeployment: key,
      pod: pod.name,
      revision: body.revision,
      sequence: body.sequence,
      outcome: outcome.kind,
      ...detail,
    },
    'pod asked to reload',
  );
  // Stale: it is busy with another version of the same number; asking again at once would go on until that is done.
  if (outcome.kind === 'loading' || outcome.kind === 'stale') return 'waiting';
  return outcome.kind === 'store' || outcome.kind === 'unreachable' ? 'failed' : 'moved';
}
