// What the API server says: the table in its ConfigMap, and the endpoints of the resource's Services. Two watches that never give up.
import type { KubeClient } from '../operator/kube/client.ts';
import type { StoredObject } from '../operator/kube/objects.ts';
import { RESOURCES } from '../operator/kube/resources.ts';
import type { WatchEvent } from '../operator/kube/watch.ts';
import { watch } from '../operator/kube/watch.ts';
import type { Clock } from '../operator/runtime/clock.ts';
import type { Logger } from 'pino';
import { isWhole, LABEL_MODEL_DEPLOYMENT, RouterTable, TABLE_KEY } from './contract.ts';
import { endpointsOf } from './endpoints.ts';
import type { Endpoints } from './endpoints.ts';

export interface ClusterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly namespace: string;
  /** Name of the ModelDeployment: EndpointSlices carry the labels of their Service. */
  readonly modelDeployment: string;
  readonly configMap: string;
  readonly onFailure?: () => void;
}

export interface ClusterNews {
  setTable(table: RouterTable): void;
  setEndpoints(endpoints: Endpoints): void;
}

/** Tells `news` of every change until `signal` is aborted. A table that is gone or does not fit the contract changes nothing. Never rejects. */
export async function followCluster(deps: ClusterDeps, news: ClusterNews, signal: AbortSignal): Promise<void> {
  await Promise.all([followTable(deps, news, signal), followEndpoints(deps, news, signal)]);
}

async function followTable(deps: ClusterDeps, news: ClusterNews, signal: AbortSignal): Promise<void> {
  const fieldSelector = `metadata.name=${deps.configMap}`;
  for await (const event of events(deps, { type: RESOURCES.ConfigMap, fieldSelector }, signal)) {
    const objects = event.kind === 'synced' ? event.objects : event.kind === 'changed' ? [event.object] : [];
    for (const object of objects) {
      const table = parseTable(object);
      if (table === undefined)
        deps.log.error({ configMap: deps.configMap }, 'the table in the ConfigMap is not usable');
      else news.setTable(table);
    }
  }
}

async function followEndpoints(deps: ClusterDeps, news: ClusterNews, signal: AbortSignal): Promise<void> {
  const slices = new Map<string, StoredObject>();
  const labelSelector = `${LABEL_MODEL_DEPLOYMENT}=${deps.modelDeployment}`;
  for await (const event of events(deps, { type: RESOURCES.EndpointSlice, labelSelector }, signal)) {
    switch (event.kind) {
      case 'synced':
        slices.clear();
        for (const object of event.objects) slices.set(object.metadata.name, object);
        break;
      case 'changed':
        slices.set(event.object.metadata.name, event.object);
        break;
      case 'deleted':
        slices.delete(event.object.metadata.name);
        break;
    }
    news.setEndpoints(endpointsOf(slices.values()));
  }
}

type Selection = Pick<Parameters<typeof watch>[0], 'type' | 'fieldSelector' | 'labelSelector'>;

function events(deps: ClusterDeps, selection: Selection, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const { client, clock, random, namespace, log, onFailure } = deps;
  return watch({
    ...selection,
    client,
    clock,
    random,
    namespace,
    signal,
    onFailure(error) {
      onFailure?.();
      log.warn({ err: error, kind: selection.type.kind }, 'watch interrupted');
    },
  });
}

/** The table of a ConfigMap; undefined when it is missing, is no JSON, or does not fit the contract. */
export function parseTable(object: StoredObject): RouterTable | undefined {
  const data = object['data'];
  if (typeof data !== 'object' || data === null || !(TABLE_KEY in data)) return undefined;
  const text: unknown = data[TABLE_KEY];
  if (typeof text !== 'string') return undefined;
  try {
    const parsed = RouterTable.safeParse(JSON.parse(text));
    return parsed.success && isWhole(parsed.data) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
