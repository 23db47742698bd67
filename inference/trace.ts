// W3C Trace Context (https://www.w3.org/TR/trace-context/): a request that belongs to a trace goes on in it, under a span id of our own. Pure.

export interface Trace {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's span. */
  readonly parentSpanId: string;
  /** Value of our own traceparent header. */
  readonly header: string;
}

const VERSION_0 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** What later versions add comes after another dash; ff is no version. */
const LATER = /^(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const ONLY_ZEROS = /^0+$/;
/** Sampled, and "the trace id is random": other flags mean nothing in version 00 and are not handed on. */
const KNOWN_FLAGS = 0x03;

/** Goes on in the caller's trace; undefined without a header, or with one that is not as the specification has it, which has to be ignored. */
export function continueTrace(traceparent: unknown, newSpanId: () => string): Trace | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > 512) return undefined;
  const [, traceId, parentSpanId, flags] = VERSION_0.exec(traceparent) ?? LATER.exec(traceparent) ?? [];
  if (traceId === undefined || parentSpanId === undefined || flags === undefined) return undefined;
  if (ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(parentSpanId)) return undefined;
  const spanId = newSpanId();
  const known = (Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0');
  return { traceId, spanId, parentSpanId, header: `00-${traceId}-${spanId}-${known}` };
}
