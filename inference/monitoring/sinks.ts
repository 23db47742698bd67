// Where payload events go: lines on standard output, or an HTTP server of the configuration.
import { SinkError } from './payload-log.ts';
import type { Sink } from './payload-log.ts';
import { PostError, Poster } from './post.ts';

const CONNECTIONS = 4;

/** Something that takes lines and says when it has had enough, as pino's destination does. */
export interface Lines {
  write(line: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** One line an event. Waits, up to the timeout, for a reader that does not keep up. */
export function lineSink(lines: Lines, timeoutMs: number): Sink {
  let drained: Promise<unknown> = Promise.resolve();
  return async (event, signal) => {
    await within(drained, timeoutMs, signal);
    if (!lines.write(`${event}\n`)) drained = new Promise((resolve) => lines.once('drain', () => resolve(undefined)));
  };
}

async function within(drained: Promise<unknown>, ms: number, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  late.addEventListener('abort', () => reject(new SinkError('timeout', `standard output has been full for ${ms} ms`)), {
    once: true,
  });
  drained.then(resolve, reject);
  await promise;
}

/** One POST an event, in CloudEvents' structured mode, which Knative's brokers and KServe's loggers take. */
export function httpSink(url: URL, timeoutMs: number): Sink {
  const poster = new Poster({ connections: CONNECTIONS, timeoutMs });
  const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
  return async (body, signal) => {
    const { status } = await poster.post({ url, body, headers }, signal).catch((error: unknown) => {
      throw error instanceof PostError ? new SinkError(error.reason, error.message, { cause: error }) : error;
    });
    if (status >= 300) throw new SinkError('refused', `the sink answered ${status}`);
  };
}
