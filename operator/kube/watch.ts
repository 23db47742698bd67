// List and watch as an async generator: a whole snapshot after each (re)list, then single changes. It never gives up and never
// throws: every failure leads to a reconnect or a relist, damped by back-off, until the signal is aborted.
import { backoffDelay } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { withDeadline } from '../runtime/clock.ts';
import type { KubeClient, Query } from './client.ts';
import { fromStatusObject, KubeError, toKubeError } from './errors.ts';
import type { StoredObject } from './objects.ts';
import { isRecord, parseStored } from './objects.ts';
import type { ResourceType } from './resources.ts';
import { pathOf } from './resources.ts';

export type WatchEvent =
  /** Everything there is now: what is not in it does not exist. */
  | { readonly kind: 'synced'; readonly objects: readonly StoredObject[]; readonly resourceVersion: string }
  /** Added or modified. */
  | { readonly kind: 'changed'; readonly object: StoredObject }
  | { readonly kind: 'deleted'; readonly object: StoredObject };

export interface WatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly type: ResourceType;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a page. Default 500. */
  readonly pageLimit?: number;
  /** A stream that is silent for so long is taken for dead and opened anew from the last resourceVersion. Default 40 s. */
  readonly idleMs?: number;
  /** Called for each failure that leads to a reconnect or a relist; nothing else is reported of it. */
  readonly onFailure?: (error: KubeError) => void;
  readonly health?: WatchHealth;
  readonly signal: AbortSignal;
}

/** What a watch tells of itself, for readiness. It changes as the watch goes on. */
export interface WatchHealth {
  lists: number;
  /** Streams opened, the first included. */
  streams: number;
  /** `clock.monotonic()` since when there is no stream; undefined while there is one. */
  deadSince: number | undefined;
}

/** The health of a watch that has not begun: dead since now. */
export function newWatchHealth(clock: Clock): WatchHealth {
  return { lists: 0, streams: 0, deadSince: clock.monotonic() };
}

const PAGE_LIMIT = 500;
const IDLE_MS = 40_000;
const BACKOFF = { baseMs: 1000, capMs: 30_000 };
/** A stream that ends sooner was no good: the next one waits for its back-off. */
const HEALTHY_MS = 10_000;

/** Ends, without throwing, when the signal is aborted. */
export async function* watch(options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
  const { signal, clock, random } = options;
  const reflector = new Reflector(options);
  while (!signal.aborted) {
    try {
      yield* reflector.run();
    } catch (error) {
      if (isAborted(signal)) return;
      reflector.failed(toKubeError(error));
    }
    if (reflector.failures === 0) continue;
    const delayMs = backoffDelay(reflector.failures, { ...BACKOFF, random });
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
}

/** As a function, since the compiler takes a signal that was not aborted before an await to be so afterwards. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

class Reflector {
  readonly #options: WatchOptions;
  readonly #health: WatchHealth;
  readonly #path: string;
  /** Where the next stream starts; undefined when only a list can tell. */
  #version: string | undefined;
  #paged = true;
  #openedAt: number | undefined;
  /** Since the last good stream. */
  failures = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#health = options.health ?? newWatchHealth(options.clock);
    this.#path = pathOf(options.type, { namespace: options.namespace });
  }

  /** One list, if it is needed, and one stream to its end. */
  async *run(): AsyncGenerator<WatchEvent, void, undefined> {
    if (this.#version === undefined) {
      const snapshot = await this.#list();
      this.#version = snapshot.resourceVersion;
      yield snapshot;
    }
    yield* this.#stream(this.#version);
    this.#streamEnded();
  }

  failed(error: KubeError): void {
    const { onFailure } = this.#options;
    this.#streamEnded();
    this.failures = Math.max(1, this.failures);
    if (hasLostItsPlace(error)) this.#version = undefined;
    onFailure?.(error);
  }

  async #list(): Promise<WatchEvent & { kind: 'synced' }> {
    const objects: StoredObject[] = [];
    let resourceVersion: string;
    let next: string | undefined;
    do {
      const page = await this.#page(next);
      for (const item of page.items) this.#keep(item, (object) => objects.push(object));
      ({ resourceVersion, next } = page);
    } while (next !== undefined);
    this.#paged = true;
    this.#health.lists += 1;
    return { kind: 'synced', objects, resourceVersion };
  }

  async #page(next: string | undefined): Promise<Page> {
    const { client, signal, pageLimit = PAGE_LIMIT } = this.#options;
    const query = { ...this.#selectors(), ...(this.#paged && { limit: pageLimit }), continue: next };
    try {
      return parsePage(await client.request('GET', this.#path, { query, signal, deadlineMs: 60_000 }));
    } catch (error) {
      // The pages took longer than the server remembers: the next attempt asks for everything at once, as client-go does.
      if (next !== undefined && toKubeError(error).isExpired) this.#paged = false;
      throw error;
    }
  }

  async *#stream(since: string): AsyncGenerator<WatchEvent, void, undefined> {
    const { client, clock, random, signal, idleMs = IDLE_MS } = this.#options;
    const timeoutSeconds = 300 + Math.floor(300 * random());
    const query = {
      ...this.#selectors(),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: since,
      timeoutSeconds,
    };
    const idle = withDeadline(clock, idleMs, signal);
    try {
      for await (const line of client.stream(this.#path, query, idle.signal, () => this.#opened())) {
        idle.lift();
        yield* this.#eventOf(line);
        idle.restart();
      }
    } catch (error) {
      // Silence is not a failure: a quiet type looks just like a dead connection, so it is only opened anew.
      if (!idle.signal.aborted || this.#openedAt === undefined) throw error;
    } finally {
      idle.done();
    }
  }

  *#eventOf(line: unknown): Generator<WatchEvent, void, undefined> {
    const { type, object } = isRecord(line) ? line : {};
    if (type === 'ERROR') throw new InBandError(fromStatusObject(object));
    if (type === 'BOOKMARK') {
      this.#version = versionOf(object) ?? this.#version;
      return;
    }
    const events: WatchEvent[] = [];
    this.#keep(object, (stored) => events.push({ kind: type === 'DELETED' ? 'deleted' : 'changed', object: stored }));
    yield* events;
    this.#version = versionOf(object) ?? this.#version;
  }

  /** One object that is none must not stop the others. */
  #keep(value: unknown, take: (object: StoredObject) => void): void {
    const { type, onFailure } = this.#options;
    const object = parseStored(value, type);
    if (object !== undefined) take(object);
    else
      onFailure?.(
        new KubeError({
          status: 0,
          reason: 'Malformed',
          message: `a ${type.kind} without name, uid or resourceVersion`,
        }),
      );
  }

  #selectors(): Query {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  #opened(): void {
    this.#openedAt = this.#options.clock.monotonic();
    this.#health.streams += 1;
    this.#health.deadSince = undefined;
  }

  #streamEnded(): void {
    const now = this.#options.clock.monotonic();
    this.failures = this.#openedAt !== undefined && now - this.#openedAt >= HEALTHY_MS ? 0 : this.failures + 1;
    this.#openedAt = undefined;
    this.#health.deadSince ??= now;
  }
}

interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly next: string | undefined;
}

function parsePage(answer: unknown): Page {
  const list = isRecord(answer) ? answer : {};
  const resourceVersion = versionOf(list);
  if (resourceVersion === undefined)
    throw new KubeError({ status: 0, reason: 'Malformed', message: 'the list has no resourceVersion' });
  const next = isRecord(list['metadata']) ? list['metadata']['continue'] : undefined;
  return {
    items: Array.isArray(list['items']) ? list['items'] : [],
    resourceVersion,
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

function versionOf(object: unknown): string | undefined {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** An ERROR event inside a stream: whatever it says, the stream's place can no longer be trusted. */
class InBandError extends KubeError {
  constructor({ status, reason, message }: KubeError) {
    super({ status, reason, message });
  }
}

/** A server whose store was put back to an older state answers "Too large resource version" for ever. */
function hasLostItsPlace(error: KubeError): boolean {
  return error instanceof InBandError || error.isExpired || error.message.includes('Too large resource version');
}
