// What the load generator is told and what it answers: JSON lines on its standard input and output.
import * as z from 'zod';

/** One basket, and what each version of a model answers to it. */
const Basket = z.object({
  body: z.string(),
  answers: z.record(z.string(), z.object({ sensitivity: z.string(), confidence: z.number() })),
});
export type Basket = z.infer<typeof Basket>;

/** What is right at present. A request is right when it fits an expectation that held between its start and its end. */
export const Expectation = z.object({
  /** Names a period of unchanged weights. */
  phase: z.string(),
  /** The versions that each variant may answer with. A variant that is not here may not answer at all. */
  versions: z.record(z.string(), z.array(z.string()).min(1)),
  /** Variants whose share is larger than in the phase before: keys move only there. */
  gained: z.array(z.string()).default([]),
  /** Every router has confirmed the weights of this phase: from now on a key keeps its variant. */
  settled: z.boolean(),
});
export type Expectation = z.output<typeof Expectation>;

/** The first line of the input. */
export const LoadPlan = z.object({
  url: z.url(),
  /** Keep-alive connections, one request at a time on each. */
  connections: z.int().min(1).max(2000),
  /** Requests a second of all connections together, when the answers come fast enough. */
  perSecond: z.number().positive(),
  /** Distinct keys, sent in turn. */
  keys: z.int().min(1).max(1_000_000),
  keyHeader: z.string(),
  /** A request without an answer by then has failed. */
  timeoutMs: z.int().positive(),
  /** It ends by itself after so long and after so many requests, whatever becomes of its parent. */
  maxSeconds: z.number().positive(),
  maxRequests: z.int().positive(),
  baskets: z.array(Basket).min(1),
  expectation: Expectation,
});
export type LoadPlan = z.output<typeof LoadPlan>;

/** Further lines of the input; each is answered by a line with the same id. */
export const Command = z.discriminatedUnion('command', [
  z.object({ id: z.int(), command: z.literal('expect'), expectation: Expectation }),
  z.object({ id: z.int(), command: z.literal('report') }),
  /** Ends when every request under way has its answer. */
  z.object({ id: z.int(), command: z.literal('stop') }),
]);
export type Command = z.infer<typeof Command>;

const counts = z.record(z.string(), z.int());

export const LoadReport = z.object({
  /** Requests that have ended, one way or the other. */
  requests: z.int(),
  ok: z.int(),
  failed: z.int(),
  /** Why → how many. */
  failures: counts,
  /** The first few failures, for people. */
  samples: z.array(z.string()),
  byVariant: counts,
  byVersion: counts,
  connectionsOpened: z.int(),
  connectionsOpen: z.int(),
  seconds: z.number(),
  latencyMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  phase: z.string(),
  /** Distinct keys that were answered since the phase settled, by variant. */
  keys: counts,
  keysSeen: z.int(),
  /** Keys that changed their variant from the last phase to this one. */
  keysMoved: z.int(),
});
export type LoadReport = z.infer<typeof LoadReport>;

/** A line of the output. */
export const Reply = z.object({ id: z.int(), report: LoadReport });
export type Reply = z.infer<typeof Reply>;
