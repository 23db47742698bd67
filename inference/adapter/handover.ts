// Brings the container beside us to a version of the model, and back: its file replaced, its own reload called, and what it says of itself believed, nothing
// else. One attempt at a time; a newer one ends the one before.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Failure } from '../contract.ts';
import type { Clock } from '../clock.ts';
import { LoadError, failureOf, loadErrorOf } from '../errors.ts';
import type { Reported } from '../model/reported.ts';
import type { Activation } from '../model/slot-options.ts';
import { Attempts } from './attempts.ts';
import { Judge, isOther } from './judge.ts';
import type { ModelFile } from './model-file.ts';
import type { Look, Neighbour } from './neighbour.ts';
import type { AdapterSettings } from './settings.ts';

/** A version that can be handed over. */
export interface Adapted extends Reported {
  /** What the file is called, and where it is on our own disk, verified. */
  readonly key: string;
  readonly path: string;
  /** What the container has to say of it; undefined: its metadata.json names no version. */
  readonly expectedVersion: string | undefined;
}

export interface HandoverOptions {
  readonly settings: AdapterSettings;
  readonly neighbour: Neighbour;
  readonly file: ModelFile;
  /** Milliseconds; only differences count. */
  readonly clock: Clock;
  readonly log: Logger;
}

const POLL_MS = 50;

export class Handover implements Activation<Adapted> {
  readonly #options: HandoverOptions;
  readonly #attempts = new Attempts();
  /** What the container is to serve. */
  #target: Adapted | undefined;
  /** SHA-256 of the artifact that this process put in place last. */
  #placed: string | undefined;
  /** The last time that the container was seen to serve a version. */
  #proof: { readonly sha256: string; readonly mark: string } | undefined;
  /** Why it does not serve the target, as far as is known. */
  #problem: LoadError | undefined;
  /** A load that was begun and not waited for may still change what it serves. */
  #isDoubtful = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** The container may start: its file is there. */
  get hasFile(): boolean {
    return this.#placed !== undefined;
  }

  /** Why it does not serve what it should. */
  get problem(): Failure | undefined {
    return this.#problem && failureOf(this.#problem);
  }

  isActive({ active: { sha256 } }: Adapted): boolean {
    return this.#problem === undefined && this.#target?.active.sha256 === sha256 && this.#proof?.sha256 === sha256;
  }

  /**
   * Throws LoadError: LoadFailed when the container does not take `next` but takes `former` again, LoadTimeout when it shows nothing new, RuntimeUnreachable
   * when it is not on `former` again either; ArtifactInvalid, DiskFull, InvalidRequest; or the reason of `signal`.
   */
  async activate(next: Adapted, former: Adapted | undefined, signal: AbortSignal): Promise<void> {
    const outcome = Promise.withResolvers<undefined>();
    const attempt = this.#attempts.run(async (end) => {
      const both = AbortSignal.any([signal, end]);
      try {
        await this.#bring(next, both);
        outcome.resolve(undefined);
      } catch (error) {
        const failure = loadErrorOf(both.aborted ? both.reason : error);
        // Whoever was overtaken is told at once; the way back goes on until the newer load gets here.
        if (failure.reason === 'Superseded') outcome.reject(failure);
        outcome.reject(await this.#putBack(former, next, failure, end));
      }
    });
    attempt.catch(outcome.reject);
    await outcome.promise;
  }

  /** Looks whether it still serves what it should, for the time between two loads. Throws only the reason of `signal`. */
  async look(signal: AbortSignal): Promise<Look['kind'] | undefined> {
    const target = this.#target;
    if (target === undefined || this.#attempts.isBusy()) return undefined;
    const seen = await this.#options.neighbour.look(signal);
    // An attempt that has begun meanwhile knows better.
    if (this.#target === target && !this.#attempts.isBusy()) this.#note(target, seen);
    return seen.kind;
  }

  /** Hands the target over again when the container has lost it. Ends quietly when that does not help. */
  async mend(signal: AbortSignal): Promise<void> {
    const target = this.#target;
    if (target === undefined || this.#problem === undefined || this.#attempts.isBusy()) return;
    await this.#attempts.run(async (end) => {
      const both = AbortSignal.any([signal, end, AbortSignal.timeout(this.#limitMs)]);
      try {
        await this.#bring(target, both);
        this.#options.log.info({ version: target.version }, 'the server has its model again');
      } catch (error) {
        if (!end.aborted) this.#lose(new LoadError('RuntimeUnreachable', loadErrorOf(error).message, { cause: error }));
      }
    });
  }

  /** Ends what is under way, for good. */
  close(): void {
    this.#attempts.close();
  }

  #note(target: Adapted, seen: Look): void {
    if (seen.kind === 'silent') return; // it is busy, which says nothing of its model
    const problem = seen.kind === 'serving' ? this.#problemOf(target, seen) : withoutModel(seen);
    if (problem !== undefined) this.#lose(problem);
    else if (seen.kind === 'serving') this.#serves(target, seen.mark);
  }

  /** Why the model that it has is not, or may not be, the target. */
  #problemOf({ expectedVersion, active: { sha256 } }: Adapted, seen: Serving): LoadError | undefined {
    if (isOther(seen.version, expectedVersion)) return unreachable(`has another model, version ${seen.version ?? ''}`);
    const isProven = seen.marksLoads && this.#proof?.sha256 === sha256 && this.#proof.mark === seen.mark;
    return this.#isDoubtful && !isProven ? unreachable('may have loaded a model that nobody waited for') : undefined;
  }

  async #bring(model: Adapted, signal: AbortSignal): Promise<void> {
    const { file, neighbour, settings } = this.#options;
    signal.throwIfAborted();
    if (settings.reload === undefined && ![undefined, model.active.sha256].includes(this.#placed)) throw noReload();
    const isFirst = !(await file.exists());
    const first = await neighbour.look(signal);
    const before = first.kind === 'silent' ? await this.#untilThere(signal) : first;
    await file.replace(model, signal);
    this.#placed = model.active.sha256;
    const seen = before.kind === 'away' ? await this.#untilThere(signal) : before;
    // A container that starts now has read this file and no other.
    if (settings.reload === undefined) return this.#until(this.#judge(model, undefined), model, signal);
    if (isFirst && before.kind === 'away' && (await this.#hasStartedWith(model, signal))) return;
    await this.#reload(model, seen, signal);
  }

  /** False when it came up without the model: then a reload call is worth a try. */
  async #hasStartedWith(model: Adapted, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#until(this.#judge(model, undefined), model, signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async #reload(model: Adapted, before: Look, signal: AbortSignal): Promise<void> {
    const { neighbour, settings } = this.#options;
    if (settings.reload === undefined) return;
    const judge = this.#judge(model, before.kind === 'serving' ? before.mark : undefined);
    this.#isDoubtful = true;
    const answer = await neighbour.reload(settings.reload, signal);
    this.#isDoubtful = answer.kind === 'accepted' || answer.kind === 'silent';
    if (answer.kind === 'refused') throw loadFailed(`refuses to load the model (${answer.detail})`);
    if (answer.kind === 'away') throw loadFailed(`ended when it was to load the model (${answer.detail})`);
    await this.#until(judge, model, signal);
  }

  #judge({ expectedVersion }: Adapted, formerMark: string | undefined): Judge {
    const { settings, clock } = this.#options;
    const { reloadMs, unreadyMs, info } = settings;
    // A container that says nothing of its model is believed when it accepts the call.
    const settleMs = info === undefined ? 0 : unreadyMs;
    return new Judge({ formerMark, expectedVersion, sinceMs: clock(), reloadMs, unreadyMs, settleMs });
  }

  /** Waits for as long as nobody answers: an image may take minutes to come. */
  async #untilThere(signal: AbortSignal): Promise<Look> {
    for (;;) {
      const seen = await this.#options.neighbour.look(signal);
      if (seen.kind === 'serving' || seen.kind === 'empty') return seen;
      if (seen.kind === 'away') this.#lose(withoutModel(seen));
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  async #until(judge: Judge, model: Adapted, signal: AbortSignal): Promise<void> {
    const { neighbour, clock } = this.#options;
    for (;;) {
      const seen = await neighbour.look(signal);
      if (seen.kind === 'empty' || seen.kind === 'away') this.#lose(withoutModel(seen));
      if (judge.isProven(seen, clock()) && seen.kind === 'serving') {
        this.#isDoubtful = false;
        this.#serves(model, seen.mark);
        return;
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  /** After a failure: what to tell of it. */
  async #putBack(former: Adapted | undefined, next: Adapted, failure: LoadError, end: AbortSignal): Promise<LoadError> {
    this.#target = former;
    if (former === undefined || former.active.sha256 === next.active.sha256) {
      this.#lose(failure);
      return failure;
    }
    if (this.#placed === former.active.sha256 && this.#problem === undefined) return failure; // it has not been touched
    const { log } = this.#options;
    log.warn({ version: former.version, detail: failure.message }, 'the server gets its previous model back');
    try {
      await this.#bring(former, AbortSignal.any([end, AbortSignal.timeout(this.#limitMs)]));
      return failure;
    } catch (second) {
      const why = loadErrorOf(end.aborted ? end.reason : second).message;
      const lost = new LoadError(
        'RuntimeUnreachable',
        `${failure.message}. Nor is it back on its previous model: ${why}`,
      );
      this.#lose(lost);
      // It may have ignored both calls, and have gone on with what it had.
      if (!end.aborted) this.#note(former, await this.#options.neighbour.look(end));
      return lost;
    }
  }

  /** A call and the wait after it. */
  get #limitMs(): number {
    const { reloadMs, unreadyMs } = this.#options.settings;
    return 2 * reloadMs + unreadyMs;
  }

  #serves(model: Adapted, mark: string): void {
    this.#target = model;
    this.#proof = { sha256: model.active.sha256, mark };
    this.#problem = undefined;
  }

  #lose(problem: LoadError): void {
    if (this.#problem === undefined)
      this.#options.log.warn({ detail: problem.message }, 'the server does not have its model');
    this.#problem = problem;
  }
}

type Serving = Extract<Look, { readonly kind: 'serving' }>;

function withoutModel({ detail }: Exclude<Look, Serving>): LoadError {
  return unreachable(`has no model (${detail})`);
}

function unreachable(what: string): LoadError {
  return new LoadError('RuntimeUnreachable', `The server ${what}`);
}

function loadFailed(what: string): LoadError {
  return new LoadError('LoadFailed', `The server ${what}`);
}

function noReload(): LoadError {
  return new LoadError(
    'InvalidRequest',
    'This server takes a model at its start only, it has no reload call: replace the pod',
  );
}
