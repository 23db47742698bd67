// The cluster as a user of kubectl sees it. Writes and waits go through kubectl itself; frequent reads go straight to the API server, since a kubectl
// costs a tenth of a second of processor each time.
import * as z from 'zod';
import { Status } from '../../operator/domain/status.ts';
import { apiGet } from '../cluster/api-client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitFor } from '../cluster/process.ts';

const Pod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
  }),
  status: z.object({
    podIP: z.string().optional(),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    containerStatuses: z.array(z.object({ name: z.string(), restartCount: z.int() })).default([]),
    initContainerStatuses: z.array(z.object({ name: z.string(), restartCount: z.int() })).default([]),
  }),
});

export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly ip: string | undefined;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Of all its containers together. */
  readonly restarts: number;
  readonly variant: string | undefined;
}

const Resource = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), generation: z.int() }),
  spec: z.object({ suspend: z.boolean().optional() }),
  status: Status,
});
export type ResourceView = z.output<typeof Resource>;

const Event = z.object({
  type: z.string(),
  reason: z.string(),
  note: z.string().optional(),
  regarding: z.object({ name: z.string().optional() }).optional(),
});

export interface EventView {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
}

const READ_ATTEMPTS = 5;

export class Kube {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;

  constructor(cluster: Cluster, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#signal = signal;
  }

  /** Runs kubectl; returns its standard output. Throws CommandFailed with what it said. */
  async kubectl(args: readonly string[], input?: string, timeoutMs = 60_000): Promise<string> {
    return this.#cluster.kubectl(args, input, { signal: this.#signal, timeoutMs });
  }

  /** `kubectl apply -f -`. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await this.kubectl(['apply', '--filename', '-'], JSON.stringify(list));
  }

  /** `kubectl wait` for a condition of one object, such as `mdep/retail`. */
  async wait(namespace: string, object: string, condition: string, seconds: number): Promise<void> {
    const args = ['wait', '--namespace', namespace, `--for=${condition}`, object, `--timeout=${seconds}s`];
    await this.kubectl(args, undefined, (seconds + 5) * 1000);
  }

  /** Body of a GET. Undefined when the API server says 404. */
  async read(path: string): Promise<string | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      this.#signal.throwIfAborted();
      const answer = await apiGet(this.#cluster.kubeconfig, path);
      if (answer?.status === 404) return undefined;
      if (answer?.status === 200) return answer.body;
      if (attempt === READ_ATTEMPTS)
        throw new Error(`GET ${path}: ${answer?.status ?? 'no'} answer ${answer?.body ?? ''}`);
    }
  }

  async pods(namespace: string, selector: string): Promise<PodView[]> {
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
    const { items } = z.object({ items: z.array(Pod) }).parse(JSON.parse((await this.read(path)) ?? '{"items":[]}'));
    return items.map(podView);
  }

  /** The ModelDeployment; undefined when there is none. */
  async resource(namespace: string, name: string): Promise<ResourceView | undefined> {
    const body = await this.read(`/apis/switchyard.dev/v1alpha1/namespaces/${namespace}/modeldeployments/${name}`);
    return body === undefined ? undefined : Resource.parse(JSON.parse(body));
  }

  /** Polls the ModelDeployment until `accept` returns something. Throws after `seconds`, with its conditions. */
  async until<T>(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    what: string,
    accept: (resource: ResourceView) => T | undefined | false,
    seconds = 30,
  ): Promise<T> {
    let last: ResourceView | undefined;
    const check = async (): Promise<T | undefined | false> => {
      last = await this.resource(namespace, name);
      return last === undefined ? undefined : accept(last);
    };
    const options = { what, deadlineMs: seconds * 1000, intervalMs: 100, signal: this.#signal };
    return waitFor(check, options).catch((error: unknown) => {
      const state = last === undefined ? 'it does not exist' : describeStatus(last.status);
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${namespace}/${name}: ${state}`, {
        cause: error,
      });
    });
  }

  /** Events about the object of that name. */
  async events(namespace: string, name: string): Promise<EventView[]> {
    const body = await this.read(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    const { items } = z.object({ items: z.array(Event) }).parse(JSON.parse(body ?? '{"items":[]}'));
    return items
      .filter(({ regarding }) => regarding?.name === name)
      .map(({ type, reason, note = '' }) => ({ type, reason, note }));
  }

  /** The log of a pod so far; empty when there is none. */
  async log(namespace: string, pod: string): Promise<string> {
    return (await this.read(`/api/v1/namespaces/${namespace}/pods/${pod}/log`).catch(() => undefined)) ?? '';
  }
}

function podView({ metadata, status }: z.output<typeof Pod>): PodView {
  const containers = [...status.containerStatuses, ...status.initContainerStatuses];
  return {
    name: metadata.name,
    uid: metadata.uid,
    ip: status.podIP,
    ready: status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    terminating: metadata.deletionTimestamp !== undefined,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    variant: metadata.labels['switchyard.dev/variant'],
  };
}

export function condition({ status }: ResourceView, type: string) {
  return status.conditions?.find((candidate) => candidate.type === type);
}

/** Phase and conditions, one a line. */
export function describeStatus(status: Status): string {
  const lines = (status.conditions ?? []).map(
    ({ type, status: value, reason, message }) => `  ${type}=${value} ${reason}: ${message}`,
  );
  return [`${status.phase} ${status.message ?? ''}`.trimEnd(), ...lines].join('\n');
}
