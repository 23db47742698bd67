// Copies of requests and answers for whoever keeps them, as CloudEvents: sampled, after the answer, and dropped rather than waited for.
import { randomUUID } from 'node:crypto';
import { BoundedQueue } from './bounded-queue.ts';
import { cloudEvents } from './cloud-event.ts';
import type { Origin } from './cloud-event.ts';
import { BINARY_HEADER, MAX_COPY_BYTES } from './exchange.ts';
import type { Exchange, Tap } from './exchange.ts';

/** Takes one event as JSON. Throws SinkError. */
export type Sink = (event: string, signal: AbortSignal) => Promise<void>;

/** An event was not taken. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** A label of the drop counter. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface PayloadLogOptions {
  /** 0 to 1. */
  readonly rate: number;
  readonly sink: Sink;
  readonly redacted: ReadonlySet<string>;
  readonly origin: () => Origin;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Told of the first event that was not taken after one that was. */
  readonly onTrouble: (error: unknown) => void;
}

const LIMIT = { items: 1000, bytes: 16 * 1024 * 1024 };
const CONCURRENCY = 4;

/** Whether the next request is one of the share. */
export function isSampled({ rate, random }: Pick<PayloadLogOptions, 'rate' | 'random'>): boolean {
  return rate >= 1 || random() < rate;
}

export class PayloadLog {
  readonly #options: PayloadLogOptions;
  readonly #queue: BoundedQueue<Exchange>;
  readonly #dropped = new Map<string, number>();
  #sent = 0;
  #isInTrouble = false;

  constructor(options: PayloadLogOptions) {
    this.#options = options;
    this.#queue = new BoundedQueue({ limit: LIMIT, concurrency: CONCURRENCY, work: this.#send.bind(this) });
  }

  readonly tap: Tap = () => (isSampled(this.#options) ? this.take : undefined);

  /** A request that has been sampled. */
  readonly take = (exchange: Exchange): void => {
    const { body, answer, headers } = exchange;
    // A character is a byte or two of memory.
    const bytes = body.length + 2 * answer.length;
    if (headers[BINARY_HEADER] !== undefined) this.#drop('binary');
    else if (bytes > MAX_COPY_BYTES) this.#drop('too_large');
    else if (!this.#queue.push(exchange, bytes)) this.#drop('queue_full');
  };

  read() {
    return { sent: this.#sent, dropped: this.#dropped, waiting: this.#queue.length };
  }

  close(limitMs: number): Promise<void> {
    return this.#queue.close(limitMs);
  }

  async #send(exchange: Exchange, signal: AbortSignal): Promise<void> {
    const { sink, origin, redacted, onTrouble } = this.#options;
    try {
      for (const event of cloudEvents(exchange, origin(), { redacted, newId: randomUUID })) await sink(event, signal);
      this.#sent += 1;
      this.#isInTrouble = false;
    } catch (error) {
      this.#drop(error instanceof SinkError ? error.reason : 'failed');
      if (!this.#isInTrouble) onTrouble(error);
      this.#isInTrouble = true;
    }
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }
}
