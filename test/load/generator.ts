// Closed-loop load: each client sends its next request when the last one has its answer, and not before its turn, so that a slow server is asked less
// and a fast one not more than planned.
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionCount } from './connection.ts';
import type { Basket, Expectation, LoadPlan, LoadReport } from './contract.ts';
import { Expectations, judge, type Answer } from './expectations.ts';
import { KeyHistory } from './key-history.ts';
import { Tally } from './tally.ts';

export class LoadGenerator {
  readonly #plan: LoadPlan;
  readonly #expectations: Expectations;
  readonly #keys: KeyHistory;
  readonly #tally = new Tally();
  readonly #connections: ConnectionCount = { opened: 0, open: 0 };
  readonly #stop = new AbortController();
  readonly #startedMs = performance.now();
  readonly #clients: Promise<unknown>;
  #phase: string;
  #sent = 0;

  /** Begins at once. */
  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#phase = plan.expectation.phase;
    this.#expectations = new Expectations(plan.expectation);
    this.#keys = new KeyHistory(plan.keys, plan.expectation);
    this.#clients = Promise.all(Array.from({ length: plan.connections }, (_, index) => this.#client(index)));
  }

  expect(expectation: Expectation): void {
    this.#expectations.add(expectation);
    this.#keys.expect(expectation, this.#expectations.index);
    this.#phase = expectation.phase;
  }

  report(): LoadReport {
    const keys = this.#keys.counts();
    return {
      ...this.#tally.counts(),
      connectionsOpened: this.#connections.opened,
      connectionsOpen: this.#connections.open,
      seconds: this.#elapsedSeconds(),
      phase: this.#phase,
      keys,
      keysSeen: Object.values(keys).reduce((sum, count) => sum + count, 0),
      keysMoved: this.#keys.moved(),
    };
  }

  /** Ends when every request under way has its answer or its deadline. */
  async stop(): Promise<LoadReport> {
    this.#stop.abort();
    await this.#clients;
    return this.report();
  }

  /** Ends when the plan's own limits are reached, or after `stop`. */
  async finished(): Promise<void> {
    await this.#clients;
  }

  async #client(index: number): Promise<void> {
    const { url, connections, perSecond } = this.#plan;
    const connection = new Connection(new URL(url), this.#connections);
    const intervalMs = (connections / perSecond) * 1000;
    // Spread over the first interval, or all would send at the same moments for ever.
    let nextMs = performance.now() + (index / connections) * intervalMs;
    while (await this.#isDue(nextMs)) {
      await this.#send(connection);
      nextMs = Math.max(nextMs + intervalMs, performance.now());
    }
    connection.close();
  }

  async #isDue(nextMs: number): Promise<boolean> {
    const waitMs = nextMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    const { maxSeconds, maxRequests } = this.#plan;
    return !this.#stop.signal.aborted && this.#sent < maxRequests && this.#elapsedSeconds() < maxSeconds;
  }

  async #send(connection: Connection): Promise<void> {
    const { baskets, keys, keyHeader, timeoutMs } = this.#plan;
    const number = this.#sent;
    this.#sent += 1;
    const key = number % keys;
    const basket = baskets[number % baskets.length];
    if (basket === undefined) return;
    const since = this.#expectations.index;
    const startedMs = performance.now();
    try {
      const answer = await connection.post(basket.body, { [keyHeader]: `user-${key}` }, timeoutMs);
      this.#note(answer, basket, key, since, performance.now() - startedMs);
    } catch (error) {
      this.#tally.failed(reasonOf(error), `key ${key}`, new Date().toISOString());
    }
  }

  #note(answer: Answer, basket: Basket, key: number, since: number, milliseconds: number): void {
    const verdict = judge(answer, basket, (variant) => this.#expectations.allowedSince(since, variant));
    const problem = verdict.ok ? this.#keys.observe(key, verdict.variant, since) : verdict.reason;
    if (verdict.ok && problem === undefined) this.#tally.succeeded(verdict.variant, verdict.version, milliseconds);
    else this.#tally.failed(problem ?? 'wrong', answer.body, new Date().toISOString());
  }

  #elapsedSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }
}

/** ECONNRESET and the like where there is a code: the texts hold port numbers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
