// Leader election by a Lease (rules: client-go's leaderelection). Two differences: a standby watches the lease instead of polling it, and nobody's
// clock counts but our own: a lease has expired when *we* have not seen it change for its duration.
import type { Clock } from '../runtime/clock.ts';
import type { KubeClient } from './client.ts';
import { KubeError, NotLeadingError, toKubeError } from './errors.ts';
import type { LeaseRecord } from './lease-record.ts';
import { heldBy, isSameRecord, parseLeaseRecord, released } from './lease-record.ts';
import type { StoredObject } from './objects.ts';
import { compareVersions, storedFrom } from './objects.ts';
import { apiVersionOf, pathOf, RESOURCES } from './resources.ts';
import { watch } from './watch.ts';

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly namespace: string;
  readonly name: string;
  /** Has to be another one in every process, also after a restart in the same pod. */
  readonly identity: string;
  readonly timing?: LeaseTiming;
  /** Another identity holds the lease from now on. */
  readonly onLeader?: (identity: string) => void;
  /** A request failed; it is tried again. */
  readonly onFailure?: (error: KubeError) => void;
}

export interface LeaseTiming {
  readonly durationMs: number;
  readonly renewMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export const LEASE_TIMING: LeaseTiming = { durationMs: 15_000, renewMs: 5000, renewDeadlineMs: 10_000, retryMs: 2000 };

/** One candidate: `acquire`, then `hold` until it ends, and `release` when the work is done. */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaseTiming;
  readonly #path: string;
  /** The record last seen, and when it came to be so on our monotonic clock. */
  #seen: { readonly record: LeaseRecord; readonly version: string; readonly at: number } | undefined;
  #held: StoredObject | undefined;
  /** When we sent the last renewal that succeeded. */
  #renewedAt = -Infinity;
  #wake: () => void = () => undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#timing = options.timing ?? LEASE_TIMING;
    this.#path = pathOf(RESOURCES.Lease, { namespace: options.namespace, name: options.name });
  }

  /** True as long as nobody else can lead: also after a pause of the process, since it goes by the monotonic clock and not by timers. */
  get isLeading(): boolean {
    return this.#held !== undefined && this.#leftMs() > 0;
  }

  /** To be called right before each write. Throws NotLeadingError. */
  assertLeading(): void {
    if (!this.isLeading) throw new NotLeadingError('this process does not hold the lease');
  }

  /** Waits until we lead. Rejects with the signal's reason. The signal also ends what follows the lease while we lead. */
  async acquire(signal: AbortSignal): Promise<void> {
    void this.#follow(signal);
    while (this.#untilFree() > 0 || !(await this.#tryToAcquire(signal))) await this.#nextChance(signal);
  }

  /** Renews until we no longer lead, and then says why. Resolves with undefined when the signal ends it first. Needs `acquire`. */
  async hold(signal: AbortSignal): Promise<string | undefined> {
    let waitMs = this.#timing.renewMs;
    for (;;) {
      await this.#pause(Math.min(waitMs, this.#leftMs()), signal);
      if (signal.aborted) return undefined;
      if (this.#heldByOther()) return this.#lose('another process holds the lease, or somebody cleared it');
      if (this.#leftMs() <= 0) return this.#lose('the lease could not be renewed in time');
      waitMs = (await this.#renew(signal)) ? this.#timing.renewMs : this.#timing.retryMs;
    }
  }

  /** Gives the lease to whoever comes first, if it is ours. Throws KubeError. Nothing may be written any more from the call on. */
  async release(signal: AbortSignal): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    try {
      await this.#put(held, released(parseLeaseRecord(held), this.#options.clock.now()), signal, this.#timing.retryMs);
    } catch (error) {
      // A renewal that was under way may have made a newer version.
      const current = toKubeError(error).isConflict ? await this.#read(signal) : undefined;
      const record = parseLeaseRecord(current);
      if (current === undefined) throw error;
      if (record.holderIdentity !== this.#options.identity) return;
      await this.#put(current, released(record, this.#options.clock.now()), signal, this.#timing.retryMs);
    }
  }

  /** Sees every change at once: the release by a predecessor, and somebody else's hand on our own lease. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { client, clock, random, namespace, name } = this.#options;
    const fieldSelector = `metadata.name=${name}`;
    for await (const event of watch({
      client,
      clock,
      random,
      type: RESOURCES.Lease,
      namespace,
      fieldSelector,
      signal,
    })) {
      // A lease that was deleted counts as it was last seen, until it expires: its holder may not know yet.
      const objects = event.kind === 'synced' ? event.objects : event.kind === 'changed' ? [event.object] : [];
      for (const object of objects) this.#see(object);
    }
  }

  #see(object: StoredObject): void {
    const record = parseLeaseRecord(object);
    const version = object.metadata.resourceVersion;
    if (this.#seen !== undefined && isOlder(version, this.#seen.version)) return;
    if (this.#seen !== undefined && isSameRecord(this.#seen.record, record)) {
      this.#seen = { ...this.#seen, version };
      return;
    }
    const before = this.#seen?.record.holderIdentity;
    this.#seen = { record, version, at: this.#options.clock.monotonic() };
    const { holderIdentity } = record;
    if (holderIdentity !== undefined && holderIdentity !== before) this.#options.onLeader?.(holderIdentity);
    this.#wake();
  }

  /** Milliseconds until the lease may be taken. */
  #untilFree(): number {
    if (this.#seen === undefined) return 0;
    const { record, at } = this.#seen;
    if (record.holderIdentity === undefined || record.holderIdentity === this.#options.identity) return 0;
    return Math.max(0, at + this.#timing.durationMs - this.#options.clock.monotonic());
  }

  #heldByOther(): boolean {
    return this.#seen?.record.holderIdentity !== this.#options.identity;
  }

  async #tryToAcquire(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, onFailure } = this.#options;
    try {
      const current = await this.#read(signal);
      if (current !== undefined) this.#see(current);
      if (this.#untilFree() > 0) return false;
      const sentAt = clock.monotonic();
      const record = heldBy(identity, parseLeaseRecord(current), this.#timing.durationMs, clock.now());
      const held =
        current === undefined
          ? await this.#create(record, signal)
          : await this.#put(current, record, signal, this.#timing.retryMs);
      this.#taken(held, sentAt);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const failure = toKubeError(error);
      if (!failure.isConflict) onFailure?.(failure);
      return false;
    }
  }

  /** Until the lease is free, a change of it, or the time for another attempt. */
  async #nextChance(signal: AbortSignal): Promise<void> {
    const { retryMs } = this.#timing;
    const untilFree = this.#untilFree();
    const delayMs = untilFree > 0 ? untilFree : retryMs * (0.5 + 0.5 * this.#options.random());
    await this.#pause(delayMs, signal);
    signal.throwIfAborted();
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, onFailure } = this.#options;
    const held = this.#held;
    if (held === undefined) return false;
    const sentAt = clock.monotonic();
    try {
      const record = heldBy(identity, parseLeaseRecord(held), this.#timing.durationMs, clock.now());
      const renewed = await this.#put(held, record, signal, Math.min(this.#leftMs(), this.#timing.renewMs));
      if (this.#held === held) this.#taken(renewed, sentAt);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const failure = toKubeError(error);
      onFailure?.(failure);
      if (failure.isConflict || failure.isNotFound) await this.#lookAgain(signal);
      return false;
    }
  }

  /** Our renewal met another version: an edit that leaves us the holder is taken up; a lease that is gone is made anew, or was by somebody else. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    const { clock, identity } = this.#options;
    try {
      const sentAt = clock.monotonic();
      const current = await this.#read(signal);
      if (current === undefined) {
        this.#taken(await this.#create(heldBy(identity, {}, this.#timing.durationMs, clock.now()), signal), sentAt);
        return;
      }
      this.#see(current);
      if (this.#held !== undefined && !this.#heldByOther()) this.#held = current;
    } catch {
      // The next attempt, or the deadline, decides.
    }
  }

  #taken(held: StoredObject, sentAt: number): void {
    this.#held = held;
    this.#renewedAt = sentAt;
    this.#see(held);
  }

  #lose(reason: string): string {
    this.#held = undefined;
    return reason;
  }

  /** Milliseconds for which nobody else can lead. */
  #leftMs(): number {
    return this.#renewedAt + this.#timing.renewDeadlineMs - this.#options.clock.monotonic();
  }

  /** Waits, unless the lease changes hands meanwhile. Never rejects. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const waking = new AbortController();
    const holder = this.#seen?.record.holderIdentity;
    this.#wake = () => {
      if (this.#seen?.record.holderIdentity !== holder) waking.abort();
    };
    const onAbort = () => waking.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    await this.#options.clock.sleep(ms, waking.signal).catch(() => undefined);
    signal.removeEventListener('abort', onAbort);
  }

  async #read(signal: AbortSignal): Promise<StoredObject | undefined> {
    const { client } = this.#options;
    try {
      const options = { signal, urgent: true, deadlineMs: this.#timing.retryMs };
      return storedFrom(await client.request('GET', this.#path, options), RESOURCES.Lease);
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  async #create(spec: LeaseRecord, signal: AbortSignal): Promise<StoredObject> {
    const { client, namespace, name } = this.#options;
    const body = { apiVersion: apiVersionOf(RESOURCES.Lease), kind: 'Lease', metadata: { name, namespace }, spec };
    const path = pathOf(RESOURCES.Lease, { namespace });
    const options = { body, signal, urgent: true, deadlineMs: this.#timing.retryMs };
    return storedFrom(await client.request('POST', path, options), RESOURCES.Lease);
  }

  /** Replaces the record of exactly this version of the lease: 409 when somebody was faster. */
  async #put(object: StoredObject, spec: LeaseRecord, signal: AbortSignal, deadlineMs: number): Promise<StoredObject> {
    const options = { body: { ...object, spec }, signal, urgent: true, deadlineMs };
    return storedFrom(await this.#options.client.request('PUT', this.#path, options), RESOURCES.Lease);
  }
}

/** A watch tells late of what we have already read or written ourselves. */
function isOlder(version: string, than: string): boolean {
  const order = compareVersions(version, than);
  return order !== undefined && order < 0;
}
