// The loop that keeps HAProxy at what the API server said last. Level-triggered: every pass starts from what HAProxy really holds, so a
// restarted HAProxy, a refused command and a missed event all heal in the same way, and an API server that is down changes nothing.
import type { Logger } from 'pino';
import type { Clock } from '../operator/runtime/clock.ts';
import { withDeadline } from '../operator/runtime/clock.ts';
import type { Applied, RouterTable } from './contract.ts';
import { checksumOf } from './checksum.ts';
import { appliedOf } from './desired.ts';
import type { Known } from './desired.ts';
import type { Endpoints } from './endpoints.ts';
import type { RouterSettings } from './haproxy/config.ts';
import type { StartFiles } from './haproxy/files.ts';
import { SocketError } from './haproxy/socket.ts';
import type { CommandLine } from './haproxy/socket.ts';
import { readActual } from './haproxy/state.ts';
import { reconcile } from './reconcile.ts';
import type { PassResult } from './reconcile.ts';

export interface AgentDeps {
  readonly commandLine: CommandLine;
  readonly settings: RouterSettings;
  readonly files: Pick<StartFiles, 'write'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly drainMs: number;
  /** Called after each pass, for metrics. */
  readonly onPass?: (outcome: PassOutcome) => void;
}

export interface PassOutcome {
  readonly durationMs: number;
  /** Absent: the pass failed. */
  readonly result?: PassResult;
}

/** Between passes when nothing happened: a check that fails or an HAProxy that restarts is noticed within it. */
const TICK_MS = 1_000;
/** After a pass that failed. */
const RETRY_MS = 250;
const PASS_DEADLINE_MS = 10_000;
/** A ready router has had a successful pass within this time; the loop is alive when it has tried one. */
const STALE_MS = 5_000;
const STUCK_MS = 30_000;
const APPLIED_DEADLINE_MS = 2_000;

/** One router's agent: told of table and endpoints, it makes HAProxy hold them in passes until `run` is aborted. */
export class Agent {
  readonly #deps: AgentDeps;
  readonly #drains = new Map<string, number>();
  #known: Partial<Known> = {};
  #last: PassResult | undefined;
  /** Of the table that the last good pass was about. */
  #committed: string | undefined;
  #succeededAt = -Infinity;
  #triedAt: number;
  #down = true;
  #wake = Promise.withResolvers<undefined>();

  constructor(deps: AgentDeps) {
    this.#deps = deps;
    this.#triedAt = deps.clock.monotonic();
  }

  setTable(table: RouterTable): void {
    const checksum = checksumOf(table);
    if (checksum === this.#known.checksum) return;
    this.#deps.log.info({ generation: table.generation, checksum }, 'table received');
    this.#learn({ table, checksum });
  }

  setEndpoints(endpoints: Endpoints): void {
    this.#learn({ endpoints });
  }

  /** From now on every answer ends its connection, since this router is going away. */
  drain(): void {
    this.#learn({ draining: true });
  }

  /** HAProxy did not answer in the last pass, or there was none yet. */
  get isDown(): boolean {
    return this.#down;
  }

  /** Passes until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const done = await this.#pass(signal);
      await this.#rest(done ? TICK_MS : RETRY_MS, signal);
    }
  }

  /** What HAProxy holds at this moment, read now. @throws SocketError, CommandError */
  async applied(signal: AbortSignal): Promise<Applied> {
    const { commandLine, settings, clock } = this.#deps;
    const deadline = withDeadline(clock, APPLIED_DEADLINE_MS, signal);
    try {
      const { table, checksum } = this.#known;
      const known = table === undefined || checksum === undefined ? undefined : { table, checksum };
      return appliedOf(await readActual(commandLine, settings, deadline.signal), known);
    } finally {
      deadline.done();
    }
  }

  /** Why this router should get no requests yet; undefined when it is ready. */
  get unready(): string | undefined {
    const known = this.#complete();
    if (known === undefined) return 'no table or no endpoints received yet';
    if (this.#down) return 'HAProxy does not answer';
    if (this.#last === undefined || this.#deps.clock.monotonic() - this.#succeededAt > STALE_MS) {
      return 'HAProxy has not been brought up to date';
    }
    if (this.#committed !== known.checksum) return `table ${known.table.generation} is not committed`;
    const { unfilled } = this.#last;
    return unfilled.length > 0 ? `no server answers in slot ${unfilled.join(', ')}` : undefined;
  }

  /** The loop still turns. */
  get isAlive(): boolean {
    return this.#deps.clock.monotonic() - this.#triedAt < STUCK_MS;
  }

  #learn(news: Partial<Known>): void {
    this.#known = { ...this.#known, ...news };
    this.#wake.resolve(undefined);
  }

  #complete(): Known | undefined {
    const { table, checksum, endpoints, draining = false } = this.#known;
    if (table === undefined || checksum === undefined || endpoints === undefined) return undefined;
    return { table, checksum, endpoints, draining };
  }

  async #pass(signal: AbortSignal): Promise<boolean> {
    const { clock, onPass } = this.#deps;
    const startedAt = clock.monotonic();
    this.#triedAt = startedAt;
    const known = this.#complete();
    if (known === undefined) return true;
    const result = await this.#attempt(known, signal);
    onPass?.({ durationMs: clock.monotonic() - startedAt, ...(result !== undefined && { result }) });
    if (result === undefined) return false;
    this.#last = result;
    this.#committed = known.checksum;
    this.#succeededAt = clock.monotonic();
    return result.refused === 0;
  }

  async #attempt(known: Known, signal: AbortSignal): Promise<PassResult | undefined> {
    const { clock, log } = this.#deps;
    const deadline = withDeadline(clock, PASS_DEADLINE_MS, signal);
    const deps = { ...this.#deps, now: () => clock.monotonic(), drains: this.#drains };
    try {
      const result = await reconcile(deps, known, deadline.signal);
      this.#note(false);
      return result;
    } catch (error) {
      if (error instanceof SocketError) this.#note(true, error);
      else if (!signal.aborted) log.error({ err: error }, 'pass failed');
      return undefined;
    } finally {
      deadline.done();
    }
  }

  #note(down: boolean, error?: SocketError): void {
    if (down === this.#down) return;
    this.#down = down;
    if (down) this.#deps.log.warn({ err: error }, 'HAProxy does not answer');
    else this.#deps.log.info('HAProxy answers');
  }

  /** Until something new is known, or `ms` have passed. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#deps.clock.setTimer(ms, () => resolve(undefined));
    const stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([promise, this.#wake.promise]);
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}
