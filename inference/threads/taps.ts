// Copies of requests that a serving thread answers: it says who wants one, the main thread makes and sends them, so that queues, counts and disagreements are
// those of the whole process.
import type { ShadowPeer } from '../contract.ts';
import type { Copy } from '../monitoring/copies.ts';
import type { Tap } from '../monitoring/exchange.ts';
import { isSampled } from '../monitoring/payload-log.ts';
import { chosenOf } from '../monitoring/shadow.ts';

export interface ThreadTaps {
  readonly taps: readonly Tap[];
  /** From now on these get copies. */
  use(peers: readonly ShadowPeer[]): void;
}

export interface TapSettings {
  /** Share of the requests that the payload log wants; absent: there is none. */
  readonly payloadRate?: number;
  readonly hasShadow: boolean;
}

export function threadTaps({ payloadRate, hasShadow }: TapSettings, send: (copy: Copy) => void): ThreadTaps {
  const random = Math.random;
  let peers: readonly { readonly peer: ShadowPeer }[] = [];
  const payloads: Tap = () =>
    isSampled({ rate: payloadRate ?? 0, random }) ? (exchange) => send({ exchange, to: 'payloads' }) : undefined;
  const shadow: Tap = () => {
    const names = chosenOf(peers, random).map(({ peer }) => peer.name);
    return names.length === 0 ? undefined : (exchange) => send({ exchange, to: names });
  };
  return {
    taps: [...(payloadRate === undefined ? [] : [payloads]), ...(hasShadow ? [shadow] : [])],
    use(next) {
      peers = next.map((peer) => ({ peer }));
    },
  };
}
