// A bucket in memory behind the poller's StoreReader: versions, delete markers, pages of 1,000, faults, and a record of every call.
import type { ObjectFacts } from '../../operator/domain/artifact.ts';
import { compareKeys } from '../../operator/artifacts/coverage.ts';
import { StoreError } from '../../operator/artifacts/failure.ts';
import type { Page, StoreReader } from '../../operator/artifacts/reader.ts';
import { toS3Failure } from '../../operator/artifacts/s3-failure.ts';
import type { Clock } from '../../operator/runtime/clock.ts';

interface Version {
  readonly id: string;
  /** Absent: a delete marker. */
  readonly facts?: ObjectFacts;
}

type Fault = { readonly status?: number; readonly name?: string; readonly code?: string } | undefined;
type Operation = 'list' | 'head';

const PAGE = 1000;

export class FakeBucket implements StoreReader {
  /** False: a store that has no List. */
  canList = true;
  readonly calls: string[] = [];
  /** Decides whether a call fails; undefined lets it through. */
  fault: (operation: Operation, key: string) => Fault = () => undefined;
  readonly #objects = new Map<string, Version[]>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #versioned: boolean;
  #count = 0;

  constructor(clock: Pick<Clock, 'now'>, { versioned = false } = {}) {
    this.#clock = clock;
    this.#versioned = versioned;
  }

  /** Writes an object; returns its ETag. */
  put(key: string, facts: Partial<ObjectFacts> = {}): string {
    this.#count += 1;
    const id = this.#versioned ? `v${this.#count}` : 'null';
    const etag = `"etag-${this.#count}"`;
    const full: ObjectFacts = { etag, size: 1000 + this.#count, lastModified: new Date(this.#clock.now()), ...facts };
    const older = this.#versioned ? (this.#objects.get(key) ?? []) : [];
    this.#objects.set(key, [{ id, facts: { ...full, ...(this.#versioned && { versionId: id }) } }, ...older]);
    return full.etag ?? '';
  }

  /** As DeleteObject without a version: a marker on a versioned bucket. */
  delete(key: string): void {
    if (!this.#versioned) this.#objects.delete(key);
    else this.#objects.set(key, [{ id: `m${this.#count}` }, ...(this.#objects.get(key) ?? [])]);
  }

  /** Removes the latest version, marker or not, for good. */
  deleteLatestVersion(key: string): void {
    this.#objects.get(key)?.shift();
  }

  list({ prefix, startAfter }: { prefix: string; startAfter: string }, signal: AbortSignal): Promise<Page> {
    return this.#answer('list', prefix, signal, () => {
      const after = (key: string) => startAfter === '' || compareKeys(key, startAfter) > 0;
      const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && after(key) && this.#latest(key));
      const page = keys.sort(compareKeys).slice(0, PAGE);
      const objects = new Map(page.map((key) => [key, this.#listed(key)]));
      return { objects, last: page.at(-1), truncated: keys.length > PAGE };
    });
  }

  head({ key, versionId }: { key: string; versionId?: string | undefined }, signal: AbortSignal): Promise<ObjectFacts> {
    return this.#answer('head', key, signal, () => {
      const version = this.#objects.get(key)?.find(({ id }) => id === versionId);
      const facts = versionId === undefined ? this.#latest(key) : version?.facts;
      if (facts === undefined) throw failure('head', key, { status: 404, name: 'NotFound' }, versionId);
      return facts;
    });
  }

  #latest(key: string): ObjectFacts | undefined {
    return this.#objects.get(key)?.[0]?.facts;
  }

  #listed(key: string) {
    const facts = this.#latest(key);
    return { etag: facts?.etag, size: facts?.size, lastModified: facts?.lastModified };
  }

  async #answer<T>(operation: Operation, key: string, signal: AbortSignal, answer: () => T): Promise<T> {
    this.calls.push(`${operation} ${key}`);
    await Promise.resolve();
    signal.throwIfAborted();
    const fault = this.fault(operation, key);
    if (fault !== undefined) throw failure(operation, key, fault);
    return answer();
  }
}

function failure(operation: Operation, key: string, fault: NonNullable<Fault>, versionId?: string): StoreError {
  const { status, name = 'Unknown', code } = fault;
  const metadata =
    status === undefined ? {} : { httpStatusCode: status, requestId: `req${Math.random()}`.replace('.', '') };
  const error = Object.assign(new Error('upstream text that must not travel'), { name, $metadata: metadata, code });
  const asked = {
    operation: operation === 'head' ? ('HEAD' as const) : ('List' as const),
    bucket: 'models',
    key,
    versionId,
  };
  return new StoreError(toS3Failure(error, asked));
}
