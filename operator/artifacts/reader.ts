// The two questions that the operator asks an object store. It never asks for the bytes.
import type { ObjectFacts } from '../domain/artifact.ts';
import { withDeadline, type Clock } from '../runtime/clock.ts';
import { StoreError, type AskedFor, type StoreFailure } from './failure.ts';

/** One object in a List. */
export interface ListedObject {
  readonly etag: string | undefined;
  readonly size: number | undefined;
  readonly lastModified: Date | undefined;
}

/** One page of a List: at most 1,000 keys, in S3's order. */
export interface Page {
  readonly objects: ReadonlyMap<string, ListedObject>;
  /** The last key of the page; undefined when it is empty. */
  readonly last: string | undefined;
  readonly truncated: boolean;
}

/** Asks about one bucket. Every call throws StoreError, or the signal's reason when that was aborted. */
export interface StoreReader {
  /** False: `list` is never to be called, each key has to be asked for by itself. */
  readonly canList: boolean;
  list(request: { readonly prefix: string; readonly startAfter: string }, signal: AbortSignal): Promise<Page>;
  head(
    request: { readonly key: string; readonly versionId?: string | undefined },
    signal: AbortSignal,
  ): Promise<ObjectFacts>;
}

export interface Call {
  readonly clock: Clock;
  readonly asked: AskedFor;
  readonly toFailure: (error: unknown, asked: AskedFor) => StoreFailure;
}

/** Over all attempts of a call and the pauses between them. */
const CALL_MS = 20_000;

/** One call to a store, with a deadline, and every error of it as a StoreError. */
export async function bounded<T>(
  { clock, asked, toFailure }: Call,
  parent: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = withDeadline(clock, CALL_MS, parent);
  try {
    return await call(deadline.signal);
  } catch (error) {
    if (parent.aborted) throw parent.reason;
    // Without the cause: the text of an upstream answer would travel in it to whoever logs the error.
    throw new StoreError(toFailure(error, asked));
  } finally {
    deadline.done();
  }
}
