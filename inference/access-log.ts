// One line for each request, or for one in so many.
import type { Logger } from 'pino';

export interface AccessLogOptions {
  readonly log: Logger;
  /** One request in so many is logged at info; 0: none. Every request is logged at debug. */
  readonly accessLogEvery: number;
}

/** Writes the line of an answered request; undefined when there is nothing to write at this log level. */
export function accessLog({ log, accessLogEvery }: AccessLogOptions): ((fields: () => object) => void) | undefined {
  const all = log.isLevelEnabled('debug');
  if (!all && accessLogEvery === 0) return undefined;
  let count = 0;
  return (fields) => {
    count += 1;
    const sampled = accessLogEvery > 0 && count % accessLogEvery === 0;
    if (all || sampled) log[sampled ? 'info' : 'debug'](fields(), 'request');
  };
}
