// All that gets copies of requests, made from the settings: the public API tells the taps, /metrics shows what became of it, the end of the process waits.
import type { Logger } from 'pino';
import type { Origin } from './cloud-event.ts';
import type { Tap } from './exchange.ts';
import { PayloadLog } from './payload-log.ts';
import type { MonitoringSettings } from './settings.ts';
import { httpSink, lineSink } from './sinks.ts';
import type { Lines } from './sinks.ts';

export interface CopiesOptions {
  readonly settings: MonitoringSettings;
  readonly variant: string;
  readonly modelName: () => string;
  readonly log: Logger;
  /** Standard output. */
  readonly lines: Lines;
}

export interface Copies {
  readonly payloads?: PayloadLog;
  readonly taps: readonly Tap[];
  /** Gives what is under way so long. */
  close(limitMs: number): Promise<void>;
}

export function createCopies(options: CopiesOptions): Copies {
  const payloads = payloadLogOf(options);
  return {
    ...(payloads && { payloads }),
    taps: payloads === undefined ? [] : [payloads.offer],
    async close(limitMs) {
      await payloads?.close(limitMs);
    },
  };
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
