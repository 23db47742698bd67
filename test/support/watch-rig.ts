// A watch of the Pods of one namespace on the fake API server, and the cache behind it, with a record of what it tells.
import type { Change } from '../../operator/kube/cache.ts';
import { Cache } from '../../operator/kube/cache.ts';
import type { KubeError } from '../../operator/kube/errors.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { WatchHealth, WatchOptions } from '../../operator/kube/watch.ts';
import { newWatchHealth, watch } from '../../operator/kube/watch.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { FakeClock, until } from './fake-clock.ts';

export const PODS = '/api/v1/namespaces/ml/pods';

export class WatchRig {
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  readonly health: WatchHealth = newWatchHealth(this.clock);
  readonly stop = new AbortController();
  readonly failures: KubeError[] = [];
  /** `+name`, `~name` and `-name`, in order. */
  readonly seen: string[] = [];
  readonly cache: Cache<string>;
  followed: Promise<void> = Promise.resolve();

  constructor(server: FakeApiServer) {
    this.server = server;
    this.cache = new Cache({
      project: ({ metadata }) => metadata.resourceVersion,
      onChange: (change) => this.seen.push(noteOf(change)),
    });
  }

  static async open(): Promise<WatchRig> {
    return new WatchRig(await FakeApiServer.start());
  }

  start(options: Partial<WatchOptions> = {}): void {
    const { clock, health, failures, stop } = this;
    this.followed = this.cache.follow(
      watch({
        client: this.server.client(clock),
        clock,
        random: () => 0.5,
        type: RESOURCES.Pod,
        namespace: 'ml',
        health,
        onFailure: (error) => failures.push(error),
        signal: stop.signal,
        ...options,
      }),
    );
  }

  makePod(name: string, labels: Record<string, string> = {}): void {
    this.server.store.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels } });
  }

  async watching(): Promise<void> {
    await until(() => this.server.streams === 1 && this.health.deadSince === undefined, 'a stream');
  }

  async streamsOpened(count: number): Promise<void> {
    await until(() => this.health.streams === count && this.server.streams === 1, `stream ${count}`);
  }

  /** Waits for the back-off to begin, then lets it pass. */
  async passBackoff(): Promise<void> {
    await until(() => this.server.streams === 0 && this.clock.pending.length === 1, 'the back-off');
    await this.clock.advance(this.clock.pending[0] ?? 0);
  }

  /** Waits until `count` calls have failed, and lets the back-off of each pass. Returns the pauses in ms. */
  async passFailures(count: number, onPause: () => void = () => undefined): Promise<readonly number[]> {
    const pauses: number[] = [];
    for (let i = 1; i <= count; i += 1) {
      await until(() => this.failures.length === i && this.clock.pending.length === 1);
      pauses.push(this.clock.pending[0] ?? 0);
      onPause();
      await this.clock.advance(this.clock.pending[0] ?? 0);
    }
    return pauses;
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.followed;
    await this.server.stop();
  }
}

function noteOf({ name, before, after }: Change<string>): string {
  if (before === undefined) return `+${name}`;
  return after === undefined ? `-${name}` : `~${name}`;
}
