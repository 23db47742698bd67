// Copies sampled requests to the peers of the configuration after they have been answered, compares the answers, and remembers where they differ. Nothing
// waits for it, and what does not fit is dropped.
import { isoOf } from '../clock.ts';
import type { ShadowPeer } from '../contract.ts';
import { Disagreements } from './agreement.ts';
import { compare } from './compare.ts';
import { BINARY_HEADER, MAX_COPY_BYTES, SHADOW_HEADER } from './exchange.ts';
import type { Exchange, Tap } from './exchange.ts';
import type { Answer } from './post.ts';
import { redact } from './redact.ts';
import { PeerCopies } from './shadow-peer.ts';
import type { Post } from './shadow-peer.ts';

export interface ShadowOptions {
  readonly post: Post;
  readonly variant: string;
  readonly redacted: ReadonlySet<string>;
  /** Show the requests of disagreements. */
  readonly keepBodies: boolean;
  /** From 0 to 1. */
  readonly random: () => number;
}

export class Shadow {
  readonly #options: ShadowOptions;
  readonly #disagreements = new Disagreements();
  #peers: readonly PeerCopies[] = [];

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  /** From now on these get copies. What is known of a peer of the same name stays. */
  use(peers: readonly ShadowPeer[]): void {
    const former = new Map(this.#peers.map((copies) => [copies.peer.name, copies]));
    this.#peers = peers.map((peer) => {
      const known = former.get(peer.name);
      former.delete(peer.name);
      known?.change(peer);
      return known ?? this.#copiesTo(peer);
    });
    for (const gone of former.values()) void gone.close();
  }

  /** Says who gets a copy of the next request. */
  readonly tap: Tap = () => {
    const chosen = chosenOf(this.#peers, this.#options.random);
    return chosen.length === 0 ? undefined : (exchange) => offer(chosen, exchange);
  };

  /** A request of another thread, where those who get a copy have been chosen. */
  take(exchange: Exchange, names: readonly string[]): void {
    const chosen = this.#peers.filter(({ peer }) => names.includes(peer.name));
    offer(chosen, exchange);
  }

  get peers(): readonly PeerCopies[] {
    return this.#peers;
  }

  /** Newest first. */
  get disagreements(): Disagreements['last'] {
    return this.#disagreements.last;
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((copies) => copies.close()));
  }

  #copiesTo(peer: ShadowPeer): PeerCopies {
    return new PeerCopies(peer, {
      post: this.#options.post,
      headersOf: this.#headersOf.bind(this),
      onAnswer: this.#compare.bind(this),
    });
  }

  #headersOf({ headers, requestId }: Exchange): Readonly<Record<string, string>> {
    const { traceparent, 'content-type': type = 'application/json' } = headers;
    return {
      'content-type': type,
      'x-request-id': requestId,
      [SHADOW_HEADER]: encodeURIComponent(this.#options.variant),
      ...(traceparent !== undefined && { traceparent }),
    };
  }

  #compare({ peer, agreement, differences }: PeerCopies, exchange: Exchange, answer: Answer): boolean {
    const { model } = exchange;
    if (model === undefined) return false;
    const comparison = compare(exchange.answer, answer.body, model.task);
    if (comparison === undefined) return false;
    const pair = { version: model.version, peerVersion: String(answer.headers['x-model-version'] ?? 'unknown') };
    agreement.add(pair, comparison);
    for (const difference of comparison.differences) differences.observe(difference);
    if (comparison.first === undefined) return true;
    this.#disagreements.add({
      time: isoOf(exchange.at),
      requestId: exchange.requestId,
      path: exchange.path,
      peer: peer.name,
      ...pair,
      ...comparison.first,
      rows: comparison.disagreeing,
      ...(this.#options.keepBodies && { body: this.#bodyOf(exchange) }),
    });
    return true;
  }

  #bodyOf({ body, model }: Exchange): unknown {
    const fields = { names: this.#options.redacted, columns: model?.features ?? [] };
    try {
      return redact(JSON.parse(new TextDecoder().decode(body)), fields);
    } catch {
      return undefined; // what Python takes for JSON, such as NaN
    }
  }
}

/** Those who get a copy of the next request, which costs a number of chance for each. */
export function chosenOf<P extends { readonly peer: ShadowPeer }>(peers: readonly P[], random: () => number): P[] {
  return peers.filter(({ peer }) => random() * 100 < peer.percent);
}

function offer(peers: readonly PeerCopies[], exchange: Exchange): void {
  const { status, headers, body, answer } = exchange;
  // A refused request says nothing of the models; a copy is never copied again.
  if (status !== 200 || headers[SHADOW_HEADER] !== undefined) return;
  for (const copies of peers) {
    if (headers[BINARY_HEADER] !== undefined) copies.drop('binary');
    else if (body.length + 2 * answer.length > MAX_COPY_BYTES) copies.drop('too_large');
    else copies.push(exchange);
  }
}
