// The S3 poller: resources declare which keys they want, read what is known of them, and are called when that changes.
// Level-triggered: a call carries no news, the resource looks again.
import type { Clock } from '../runtime/clock.ts';
import type { OnStoreCall } from './counted-reader.ts';
import { entryId } from './entry.ts';
import type { SourceOpener } from './opener.ts';
import { BucketPressure } from './pressure.ts';
import { SourcePoller } from './source-poller.ts';
import { sourceId, type ArtifactSource, type Resolution, type WantedArtifact } from './source.ts';

export interface ArtifactPollerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly opener: SourceOpener;
  /** What is known of something that this resource wants has changed. */
  readonly onChange: (resource: string) => void;
  /** Hears of every call to a store that ended. */
  readonly onCall?: OnStoreCall;
  /** A bug: an error that is none of the store's. */
  readonly onError: (error: unknown) => void;
}

/** One poller for each source, shared by all resources; owns timers and calls in flight until `stop`. */
export class ArtifactPoller {
  readonly #options: ArtifactPollerOptions;
  readonly #pollers = new Map<string, SourcePoller>();
  /** By bucket, with the sources that share it: what nobody asks any more is not remembered. */
  readonly #pressures = new Map<string, { readonly pressure: BucketPressure; readonly sources: Set<string> }>();
  /** By resource and source: which entries it wants. */
  readonly #wanted = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();

  constructor(options: ArtifactPollerOptions) {
    this.#options = options;
  }

  /** Replaces what the resource wants to follow; an empty list ends it. Calling it again with the same list does nothing. */
  want(resource: string, wanted: readonly WantedArtifact[]): void {
    const next = new Map<string, Set<string>>();
    for (const { source, key, versionId, intervalMs } of wanted) {
      const id = sourceId(source);
      next.set(id, (next.get(id) ?? new Set()).add(entryId(key, versionId)));
      this.#pollerOf(id, source).want(resource, key, versionId, intervalMs);
    }
    for (const [id, entries] of this.#wanted.get(resource) ?? []) {
      const keep = next.get(id);
      this.#release(
        resource,
        id,
        [...entries].filter((entry) => keep?.has(entry) !== true),
      );
    }
    if (next.size === 0) this.#wanted.delete(resource);
    else this.#wanted.set(resource, next);
  }

  /** What is known of a wanted artifact; `pending` also when nobody wants it. */
  resolution({ source, key, versionId }: WantedArtifact): Resolution {
    return this.#pollers.get(sourceId(source))?.resolution(key, versionId) ?? { kind: 'pending' };
  }

  /** Asks for the resource's keys now instead of at the next interval: for news of an upload. */
  poke(resource: string): void {
    for (const [id, entries] of this.#wanted.get(resource) ?? []) this.#pollers.get(id)?.poke(entries);
  }

  /** Ends all timers and calls; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    const pollers = [...this.#pollers.values()];
    this.#pollers.clear();
    this.#wanted.clear();
    await Promise.all(pollers.map((poller) => poller.stop()));
  }

  #pollerOf(id: string, source: ArtifactSource): SourcePoller {
    const known = this.#pollers.get(id);
    if (known !== undefined) return known;
    const { onCall = () => undefined } = this.#options;
    const poller = new SourcePoller(source, { ...this.#options, onCall, pressure: this.#pressureOf(id, source) });
    this.#pollers.set(id, poller);
    return poller;
  }

  #pressureOf(id: string, { store, bucket, region }: ArtifactSource): BucketPressure {
    const place = JSON.stringify([store, bucket, region]);
    const shared = this.#pressures.get(place) ?? {
      pressure: new BucketPressure(this.#options.random),
      sources: new Set(),
    };
    shared.sources.add(id);
    this.#pressures.set(place, shared);
    return shared.pressure;
  }

  #release(resource: string, id: string, entries: readonly string[]): void {
    const poller = this.#pollers.get(id);
    poller?.release(resource, entries);
    if (poller?.isIdle !== true) return;
    this.#pollers.delete(id);
    for (const [place, { sources }] of this.#pressures)
      if (sources.delete(id) && sources.size === 0) this.#pressures.delete(place);
    poller.stop().catch(this.#options.onError);
  }
}
