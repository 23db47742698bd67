// What a request is called in answers and logs.
import { randomBytes, randomUUID } from 'node:crypto';
import { continueTrace } from './trace.ts';
import type { Trace } from './trace.ts';

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The client's X-Request-Id when it is printable and short, else one that is unique to this process and cheap. */
export function requestIds(): (given: unknown) => string {
  const process = randomUUID().slice(0, 13);
  let count = 0;
  return (given) => {
    if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

/** The caller's trace with a new span, by the header traceparent. */
export function traceOf(traceparent: unknown): Trace | undefined {
  return traceparent === undefined ? undefined : continueTrace(traceparent, () => randomBytes(8).toString('hex'));
}

/** A request as the log has it. */
export function logFields(requestId: string, trace: Trace | undefined) {
  if (trace === undefined) return { requestId };
  const { traceId, spanId, parentSpanId } = trace;
  return { requestId, traceId, spanId, parentSpanId };
}
