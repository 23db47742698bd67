// The one place that holds the model in use. A load happens beside it and ends in the swap of one reference; whatever goes wrong, the old model goes on.
//
//   load(request) ── lower sequence ──► StaleSequence          same version in flight ──► joins it
//        │          └ already active ─► unchanged, relabelled   another in flight ──────► cancelled (Superseded)
//        ├── held in memory ─────────► compare with the active model → swap at once
//        └── fetch → read in a worker → compare with the active model → swap
//
// Where another process answers (adapter mode), it has to take the version before the swap: see Activation.
import type { ModelInfo } from '../contract.ts';
import { LoadError, failureOf, loadErrorOf } from '../errors.ts';
import { isSameVersion } from './load-request.ts';
import type { LoadRequest, LoadStatus } from './load-request.ts';
import type { Reported, SlotView } from './reported.ts';
import { isWanted, relabelled } from './served.ts';
import type { ServedModel } from './served.ts';
import type { SlotOptions } from './slot-options.ts';

interface Flight {
  request: LoadRequest;
  readonly controller: AbortController;
  readonly done: Promise<LoadStatus>;
}

export interface Slot extends SlotView {
  load(request: LoadRequest): Promise<LoadStatus>;
}

export class ModelSlot<T extends Reported = ServedModel> implements Slot {
  readonly #options: SlotOptions<T>;
  #current: T | undefined;
  #previous: T | undefined;
  #held: readonly T[] = [];
  #sequence = 0;
  #flight: Flight | undefined;
  #failure: ModelInfo['failure'];
  /** Others have been told of the model in use. */
  #told: Promise<void> | undefined;

  constructor(options: SlotOptions<T>) {
    this.#options = options;
  }

  /** The model that answers now. A request reads this once. */
  get current(): T | undefined {
    const current = this.#current;
    if (current === undefined || this.#options.activation?.isActive(current) === false) return undefined;
    return current;
  }

  /** A load is under way. */
  get isLoading(): boolean {
    return this.#flight !== undefined;
  }

  /** What is being loaded. */
  get loading(): ModelInfo['loading'] {
    if (this.#flight === undefined) return undefined;
    const { revision, sequence } = this.#flight.request;
    return { sequence, ...(revision !== undefined && { revision }) };
  }

  /** Highest sequence seen. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Why the last load failed; undefined after a successful one. */
  get failure(): ModelInfo['failure'] {
    return this.#failure;
  }

  /** Resolves when the wanted version answers requests. Rejects with LoadError; the model in use is untouched then. */
  async load(request: LoadRequest): Promise<LoadStatus> {
    const { sequence } = request;
    if (sequence < this.#sequence) {
      throw new LoadError('StaleSequence', `Sequence ${sequence} is late: ${this.#sequence} has been seen`);
    }
    const flight = this.#flight;
    if (flight !== undefined && isSameVersion(flight.request, request)) {
      this.#sequence = sequence;
      flight.request = request;
      return flight.done;
    }
    if (flight !== undefined && sequence === this.#sequence) {
      throw new LoadError('StaleSequence', `Sequence ${sequence} is loading another version: raise it to replace that`);
    }
    this.#sequence = sequence;
    flight?.controller.abort(new LoadError('Superseded', `A call with the higher sequence ${sequence} came`));
    this.#flight = undefined;
    return (await this.#takeHeld(request)) ?? this.#begin(request);
  }

  /** Ends a load in flight; for the end of the process. */
  close(): void {
    this.#flight?.controller.abort(new LoadError('Superseded', 'The server is shutting down'));
  }

  /** Without a load: the active model, or one that is held in memory. */
  async #takeHeld(request: LoadRequest): Promise<LoadStatus | undefined> {
    const { current } = this;
    if (current !== undefined && isWanted(current, request)) {
      this.#current = relabelled(current, request);
      await this.#settle(request, 'unchanged', 0);
      return 'unchanged';
    }
    const held = this.#held.find((model) => isWanted(model, request));
    if (held === undefined || this.#options.activation !== undefined) return undefined;
    if (this.#obstacle(held, request) !== undefined) return undefined;
    this.#swap(relabelled(held, request));
    await this.#settle(request, 'loaded', 0);
    return 'loaded';
  }

  #begin(request: LoadRequest): Promise<LoadStatus> {
    const controller = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<LoadStatus>();
    const flight: Flight = { request, controller, done: promise };
    this.#flight = flight;
    this.#run(flight).then(resolve, reject);
    return promise;
  }

  async #run(flight: Flight): Promise<LoadStatus> {
    const { clock, timeoutMs } = this.#options;
    const { signal } = flight.controller;
    const start = clock();
    let next: T | undefined;
    const timer = setTimeout(() => {
      flight.controller.abort(new LoadError('LoadTimeout', `The load took longer than ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      next = await this.#prepare(flight, signal);
      signal.throwIfAborted();
      await this.#compare(next, flight.request);
      await this.#activate(next, signal);
      signal.throwIfAborted();
      this.#swap(relabelled(next, flight.request));
      this.#flight = undefined;
      await this.#settle(flight.request, 'loaded', clock() - start);
      return 'loaded';
    } catch (error) {
      if (next !== undefined) this.#drop([next]);
      throw this.#failed(flight, loadErrorOf(signal.aborted ? signal.reason : error), clock() - start);
    } finally {
      clearTimeout(timer);
    }
  }

  async #prepare({ request }: Flight, signal: AbortSignal): Promise<T> {
    const { artifacts, prepare } = this.#options;
    const known = this.#known.find((model) => isWanted(model, request));
    if (known !== undefined) return known;
    const artifact = await artifacts.obtain(request, signal);
    try {
      return await prepare(artifact, request.revision, signal);
    } catch (error) {
      // After an abort another load may be about to read the same file.
      if (!signal.aborted) await this.#discard(artifact);
      throw error;
    }
  }

  async #compare(next: T, request: LoadRequest): Promise<void> {
    const obstacle = this.#obstacle(next, request);
    if (obstacle === undefined) return;
    await this.#discard(next.active);
    throw obstacle;
  }

  /** Why `next` may not follow the active model; undefined: it may. */
  #obstacle(next: T, { allowSchemaChange }: LoadRequest): LoadError | undefined {
    const former = this.#current;
    if (former === undefined || allowSchemaChange === true || this.#options.allowSchemaChange) return undefined;
    try {
      this.#options.checkSuccessor(next, former);
      return undefined;
    } catch (error) {
      return loadErrorOf(error);
    }
  }

  async #activate(next: T, signal: AbortSignal): Promise<void> {
    const former = this.#current;
    try {
      await this.#options.activation?.activate(next, former, signal);
    } catch (error) {
      // Without a former one it is tried again, and not worth another download.
      if (!signal.aborted && former !== undefined) await this.#discard(next.active);
      throw error;
    }
  }

  /** The version that was swapped in last, and those that are held. */
  get #known(): readonly T[] {
    return this.#current === undefined ? this.#held : [this.#current, ...this.#held];
  }

  /** Deletes the file of a version that was refused. */
  async #discard(refused: { readonly sha256: string }): Promise<void> {
    if (this.#known.some(({ active }) => sameContent(active, refused))) return;
    await this.#options.artifacts.discard(refused.sha256);
  }

  #swap(next: T): void {
    const former = this.#current;
    this.#use(next);
    if (former === undefined) return;
    const known = [former, ...this.#held];
    if (!sameContent(former.active, next.active)) {
      this.#previous = former;
      this.#held = known.filter(({ active }) => !sameContent(active, next.active));
    }
    this.#drop(known);
  }

  #use(model: T | undefined): void {
    this.#current = model;
    this.#told = this.#options.onCurrent?.(model);
  }

  /** Lets go of those of these models that are neither in use nor held. A relabelled model is still the same one. */
  #drop(models: readonly T[]): void {
    const used = new Set(this.#known.map(({ manifest }) => manifest));
    for (const model of models) if (!used.has(model.manifest)) this.#options.onDropped?.(model);
  }

  /**
   * Forgets models that cannot answer any more. Where that was the one in use, its version is loaded again, after a load under way that has brought no other.
   * Nobody has ordered it: `failure` still tells of the last load that somebody has. Never throws.
   */
  async replace(isGone: (model: T) => boolean): Promise<void> {
    const lost = this.#current;
    const gone = this.#known.filter(isGone);
    this.#held = this.#held.filter((model) => !isGone(model));
    if (lost !== undefined && isGone(lost)) this.#use(undefined);
    this.#drop(gone);
    if (lost === undefined || this.#current === lost) return;
    while (this.#flight !== undefined) await this.#flight.done.catch(() => undefined);
    if (this.current !== undefined) return;
    const failure = this.#failure;
    const { key = '' } = lost.active;
    await this.load({ ...lost.active, key, sequence: this.#sequence, keep: [] }).catch(() => undefined);
    this.#failure ??= failure;
  }

  /** After a success: forget the failure, and let go of what nobody wants to return to. */
  async #settle({ keep, sequence }: LoadRequest, status: LoadStatus, durationMs: number): Promise<void> {
    const { artifacts, log, onLoaded } = this.#options;
    const current = this.#current;
    if (current === undefined) return;
    this.#failure = undefined;
    const held = this.#held;
    this.#held = held.filter((model) => model === this.#previous || keep.includes(model.active.revision ?? ''));
    this.#drop(held);
    const { revision, version, sha256 } = current.active;
    log.info(
      { revision, version, sha256, sequence, durationMs },
      status === 'loaded' ? 'model loaded' : 'model unchanged',
    );
    onLoaded?.(status, durationMs);
    const hashes = [current, ...this.#held].map(({ active }) => active.sha256);
    await artifacts.keepOnly(new Set(hashes)).catch((error: unknown) => {
      log.warn({ err: error }, 'old artifacts could not be deleted');
    });
    await this.#told;
  }

  #failed(flight: Flight, error: LoadError, durationMs: number): LoadError {
    const { log, onLoaded } = this.#options;
    const { revision, sequence } = flight.request;
    onLoaded?.(error.reason, durationMs);
    if (this.#flight === flight) {
      // A superseded load is no news of the version that is wanted now.
      this.#flight = undefined;
      this.#failure = { ...failureOf(error), sequence, ...(revision !== undefined && { revision }) };
    }
    // The stack says something about a bug only; a bad artifact or store is told by its message.
    const detail = error.reason === 'InternalError' ? { err: error } : { detail: error.message };
    log.warn({ revision, sequence, reason: error.reason, ...detail }, 'model not loaded');
    return error;
  }
}

function sameContent(a: { readonly sha256: string }, b: { readonly sha256: string }): boolean {
  return a.sha256 === b.sha256;
}
