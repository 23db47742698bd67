// From events to passes: keys into the queue, workers that reconcile them, and the one place that decides when a key is tried again.
import type { Deps } from './deps.ts';
import { KubeError, NotLeadingError } from './kube/errors.ts';
import type { Key } from './kube/objects.ts';
import { reconcile, type Next } from './reconcile.ts';
import { runWorkers, type WorkQueue } from './runtime/work-queue.ts';

export interface ControllerOptions {
  readonly deps: Deps;
  readonly queue: WorkQueue;
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Called when a write was refused because the lease is gone: this process must end. */
  readonly onNotLeading: (error: NotLeadingError) => void;
}

/** What the API server forbids does not change by asking again soon. */
const REFUSED_RETRY_MS = 5 * 60_000;

/** Works on the queue until it is shut down. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { deps, queue, workers } = options;
  await runWorkers(
    queue,
    workers,
    (key) => work(options, key),
    (error, key) => {
      deps.metrics.reconciles.inc({ result: 'bug' });
      deps.log.error({ err: error, modelDeployment: key }, 'reconcile failed unexpectedly');
    },
  );
}

/** Puts every resource into the queue again: what no event told of is found in this way. */
export function resync({ caches }: Deps, queue: WorkQueue): void {
  for (const { namespace, name } of caches.resources.values()) queue.add(`${namespace}/${name}`, 'bulk');
}

async function work(options: ControllerOptions, key: Key): Promise<void> {
  const { deps, queue, signal } = options;
  const end = deps.metrics.reconcileSeconds.startTimer();
  try {
    schedule(queue, key, await reconcile(deps, key, signal));
    deps.metrics.reconciles.inc({ result: 'done' });
  } catch (error) {
    if (signal.aborted) return;
    retry(options, key, error);
  } finally {
    end();
  }
}

function schedule(queue: WorkQueue, key: Key, next: Next): void {
  if (next === 'failed' || (typeof next === 'object' && next.failed)) queue.addFailed(key);
  else queue.forget(key);
  if (next === 'now') queue.add(key);
  else if (typeof next === 'object') queue.addAfter(key, next.afterMs, 'user');
}

/** The only retry policy: what may pass backs off, what the API server refuses waits long, all else is a bug for `runWorkers`. */
function retry({ deps, queue, onNotLeading }: ControllerOptions, key: Key, error: unknown): void {
  if (error instanceof NotLeadingError) {
    onNotLeading(error);
    return;
  }
  if (!(error instanceof KubeError)) throw error;
  deps.metrics.reconciles.inc({ result: error.isTransient ? 'retry' : 'refused' });
  const fields = { modelDeployment: key, status: error.status, reason: error.reason, message: error.message };
  if (error.isTransient || error.isNotFound) {
    const delayMs = queue.addFailed(key);
    deps.log.warn({ ...fields, delayMs }, 'API server did not take a request; trying again');
  } else {
    queue.addAfter(key, REFUSED_RETRY_MS);
    deps.log.error(fields, 'API server refuses a request');
  }
}
