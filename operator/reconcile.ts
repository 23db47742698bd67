// One pass for one resource: observe, plan, apply. Level-triggered: it never asks what happened, only what is.
import { applyPlan, writeStatus } from './apply.ts';
import { settingsOf, storeNamed } from './config.ts';
import type { Deps } from './deps.ts';
import { splitKey, type Key } from './kube/objects.ts';
import { observe } from './observe.ts';
import type { PlanContext } from './domain/resource.ts';
import type { Pass, ValidResource } from './pass.ts';
import { invalidStatus, plan } from './plan.ts';

/** When to look again: at once, after so many ms, after the key's own back-off (or so many ms, if that is sooner), or only when something happens. */
export type Next = 'now' | 'failed' | 'idle' | { readonly afterMs: number; readonly failed?: true };

/** A status that the API server refuses is refused until somebody applies another CustomResourceDefinition. */
const UNTOLD_RETRY_MS = 5 * 60_000;

/** Throws KubeError and NotLeadingError; the controller decides about retries. */
export async function reconcile(deps: Deps, key: Key, signal: AbortSignal): Promise<Next> {
  const { namespace, name } = splitKey(key);
  const resource = deps.caches.resources.get(namespace, name);
  if (resource === undefined || resource.terminating) return forget(deps, key);
  if (deps.memory.isAnother(key, resource.uid)) forget(deps, key);
  deps.memory.noteOwner(key, resource.uid);
  if (resource.spec === undefined) {
    const status = invalidStatus(
      { generation: resource.generation, status: resource.status },
      resource.invalid ?? 'invalid',
      deps.clock.now(),
    );
    await writeStatus({ deps, key, resource, signal }, status);
    return 'idle';
  }
  return reconcileValid({ deps, key, resource: { ...resource, spec: resource.spec }, signal });
}

async function reconcileValid(pass: Pass<ValidResource>): Promise<Next> {
  const { deps, key, resource } = pass;
  if (deps.memory.noteReload(key, resource.reload)) deps.artifacts.poke(key);
  const observed = await observe(pass);
  if (observed.adminToken !== undefined) deps.memory.noteToken(key, observed.adminToken);
  const context = planContext(deps, deps.memory.token(key));
  const decided = plan({ ...resource, status: resource.status }, observed, context, deps.clock.now());
  deps.memory.noteConfirming(key, decided.isConfirming, deps.clock.monotonic());
  const token = observed.adminToken ?? context.newToken;
  const outcome = await applyPlan(pass, decided, token);
  if (outcome.untold) return { afterMs: UNTOLD_RETRY_MS };
  if (outcome.moved) return 'now';
  const afterMs = decided.requeueAfterMs;
  if (outcome.failed) return afterMs === undefined || decided.reloads.length > 0 ? 'failed' : { afterMs, failed: true };
  return afterMs === undefined ? 'idle' : { afterMs };
}

/** Owner references collect the children; we only stop watching the store and forget. */
function forget(deps: Deps, key: string): Next {
  deps.artifacts.want(key, []);
  deps.reports.forget(key);
  deps.routers.forget(key);
  const uid = deps.memory.forget(key);
  if (uid !== undefined) deps.writer.forgetOwner(uid);
  return 'idle';
}

function planContext({ config, newToken }: Deps, knownToken: string | undefined): PlanContext {
  return {
    images: config.images,
    store: (name) => {
      const store = storeNamed(config.stores, name);
      return store && settingsOf(store);
    },
    defaultBucket: config.defaultBucket,
    defaultRegion: config.defaultRegion,
    newToken: knownToken ?? newToken(),
  };
}
