// One peer that gets copies: its queue, what came back, and what was dropped.
import type { ShadowPeer } from '../contract.ts';
import { Agreement } from './agreement.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { Distribution } from './distribution.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, Order } from './post.ts';
import { PostError } from './post.ts';

export type Post = (order: Order, signal: AbortSignal) => Promise<Answer>;

export interface PeerOptions {
  readonly post: Post;
  /** Headers of a copy. */
  readonly headersOf: (exchange: Exchange) => Readonly<Record<string, string>>;
  /** Told of each answer of the peer; false when it cannot be compared. */
  readonly onAnswer: (peer: PeerCopies, exchange: Exchange, answer: Answer) => boolean;
}

const LIMIT = { items: 200, bytes: 4 * 1024 * 1024 };
const CONCURRENCY = 8;
const DIFFERENCES = [0, 0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1];

export class PeerCopies {
  readonly agreement = new Agreement();
  /** Of the scores of each row, absolute. */
  readonly differences = new Distribution(DIFFERENCES);
  readonly #options: PeerOptions;
  readonly #queue: BoundedQueue<Exchange>;
  readonly #dropped = new Map<string, number>();
  #peer: ShadowPeer;

  constructor(peer: ShadowPeer, options: PeerOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#queue = new BoundedQueue({ limit: LIMIT, concurrency: CONCURRENCY, work: this.#copy.bind(this) });
  }

  get peer(): ShadowPeer {
    return this.#peer;
  }

  /** Another share or address; what has been counted stays. */
  change(peer: ShadowPeer): void {
    this.#peer = peer;
  }

  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  push(exchange: Exchange): void {
    if (!this.#queue.push(exchange, exchange.body.length + 2 * exchange.answer.length)) this.drop('queue_full');
  }

  drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  close(): Promise<void> {
    return this.#queue.close(0);
  }

  async #copy(exchange: Exchange, signal: AbortSignal): Promise<void> {
    const { post, headersOf, onAnswer } = this.#options;
    try {
      const url = new URL(this.#peer.url.replace(/\/$/, '') + unversioned(exchange.path));
      const answer = await post({ url, body: exchange.body, headers: headersOf(exchange) }, signal);
      if (answer.status !== 200) this.drop('refused');
      else if (!onAnswer(this, exchange, answer)) this.drop('not_comparable');
    } catch (error) {
      this.drop(error instanceof PostError ? error.reason : 'failed');
    }
  }
}

/** The peer has a version of its own. */
function unversioned(path: string): string {
  return path.replace(/^(\/v2\/models\/[^/]+)\/versions\/[^/]+/, '$1');
}
