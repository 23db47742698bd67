// All that gets copies of requests, made from the settings: the public API asks the taps, /metrics shows what became of it, the end of the process waits.
import type { Logger } from 'pino';
import type { ShadowPeer } from '../contract.ts';
import type { Origin } from './cloud-event.ts';
import type { Exchange, Tap } from './exchange.ts';
import { PayloadLog } from './payload-log.ts';
import { followPeers } from './peers.ts';
import { Poster } from './post.ts';
import type { MonitoringSettings } from './settings.ts';
import { Shadow } from './shadow.ts';
import { httpSink, lineSink } from './sinks.ts';
import type { Lines } from './sinks.ts';

const SHADOW_CONNECTIONS = 8; // to each peer
const FOLLOW_MS = 5_000;

export interface CopiesOptions {
  readonly settings: MonitoringSettings;
  readonly variant: string;
  readonly modelName: () => string;
  readonly log: Logger;
  /** Standard output. */
  readonly lines: Lines;
  /** Pause between two looks at the file of peers. */
  readonly followMs?: number;
}

/** Of a request that another thread has answered: for the payload log, or for peers. */
export interface Copy {
  readonly exchange: Exchange;
  readonly to: 'payloads' | readonly string[];
}

export interface Copies {
  readonly payloads?: PayloadLog;
  readonly shadow?: Shadow;
  readonly taps: readonly Tap[];
  /** Begins to follow the file of peers, where there is one. `tell` is told who they are, each time that they change. */
  start(signal: AbortSignal, tell: (peers: readonly ShadowPeer[]) => void): void;
  /** A copy that another thread has taken. */
  readonly take: (copy: Copy) => void;
  /** Gives payload events so long; copies to peers are cut off. */
  close(limitMs: number): Promise<void>;
}

export function createCopies(options: CopiesOptions): Copies {
  const { settings, log, followMs: everyMs = FOLLOW_MS } = options;
  const payloads = payloadLogOf(options);
  const poster = new Poster({ connections: SHADOW_CONNECTIONS, timeoutMs: settings.shadow?.timeoutMs ?? 0 });
  const shadow = shadowOf(options, poster);
  return {
    ...(payloads && { payloads }),
    ...(shadow && { shadow }),
    taps: [payloads?.tap, shadow?.tap].filter((tap) => tap !== undefined),
    start(signal, tell) {
      const use = (next: readonly ShadowPeer[]) => {
        shadow?.use(next);
        tell(next);
      };
      const peers = settings.shadow?.peers ?? [];
      if (typeof peers !== 'string') use(peers);
      else void followPeers({ path: peers, everyMs, log }, use, signal);
    },
    take({ exchange, to }) {
      if (to === 'payloads') payloads?.take(exchange);
      else shadow?.take(exchange, to);
    },
    async close(limitMs) {
      await shadow?.close();
      poster.close();
      await payloads?.close(limitMs);
    },
  };
}

function shadowOf({ settings, variant }: CopiesOptions, poster: Poster): Shadow | undefined {
  if (settings.shadow === undefined) return undefined;
  return new Shadow({
    post: poster.post.bind(poster),
    variant,
    redacted: new Set(settings.redacted),
    keepBodies: settings.shadow.keepBodies,
    random: Math.random,
  });
}

function payloadLogOf({ settings, variant, modelName, log, lines }: CopiesOptions): PayloadLog | undefined {
  const { payloads, redacted, namespace } = settings;
  if (payloads === undefined) return undefined;
  const { sink, rate, timeoutMs } = payloads;
  return new PayloadLog({
    sink: sink === 'stdout' ? lineSink(lines, timeoutMs) : httpSink(sink, timeoutMs),
    rate,
    redacted: new Set(redacted),
    origin: (): Origin => ({ modelDeployment: modelName(), namespace, variant }),
    random: Math.random,
    onTrouble: (error) => {
      log.warn({ detail: error instanceof Error ? error.message : String(error) }, 'payload events are dropped');
    },
  });
}
