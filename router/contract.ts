// What operator and router agree on: the table in the ConfigMap, the answer of GET /applied, ports, times, and the label of the endpoints. The
// operator imports nothing else of the router but the arithmetic of split.ts.
import * as z from 'zod';

/** Hash buckets of a split: one is 0.01 % of the traffic. */
export const BUCKETS = 10_000;
/** Slots in the fixed HAProxy configuration: three for each of at most eight variants. */
export const SLOTS = 24;
export const TRAFFIC_PORT = 8080;
export const AGENT_PORT = 8404;
/** Port of HAProxy's own /healthz, /metrics (Prometheus exporter) and /generation. */
export const STATUS_PORT = 8405;
/** Key of the ConfigMap that holds the table as JSON. */
export const TABLE_KEY = 'table.json';
/** Label of every child of a ModelDeployment, with its name: EndpointSlices have it from their Service. */
export const LABEL_MODEL_DEPLOYMENT = 'switchyard.dev/model-deployment';

/** Seconds; terminationGracePeriodSeconds of the pod follows from them. */
export const TIMES = {
  connect: 1,
  /** Longest silence of a client or a server in a request. */
  request: 300,
  /** Longer than the 75 s that clients may count on. */
  keepAlive: 80,
  /** Between the order to go and SIGUSR1: Services forget the pod, and busy connections end one by one. */
  preStop: 15,
  hardStop: 330,
} as const;

const slot = z
  .int()
  .min(0)
  .max(SLOTS - 1);

/** Buckets `from` to `to`, both included, go to `slot`. */
export const BucketRange = z.strictObject({ from: z.int().min(0), to: z.int().max(BUCKETS - 1), slot });
export type BucketRange = z.infer<typeof BucketRange>;

export const SlotEntry = z.strictObject({
  slot,
  variant: z.string(),
  /** Service whose EndpointSlices hold the servers of this slot. */
  service: z.string(),
});
export type SlotEntry = z.infer<typeof SlotEntry>;

/** The whole routing table. `ranges` cover all buckets without overlap, in ascending order. */
export const RouterTable = z.strictObject({
  generation: z.int().min(1),
  slots: z.array(SlotEntry).min(1).max(SLOTS),
  ranges: z.array(BucketRange).min(1),
});
export type RouterTable = z.infer<typeof RouterTable>;

/** Every bucket is there once, and each with a slot of the table. */
export function isWhole({ ranges, slots }: RouterTable): boolean {
  const known = new Set(slots.map(({ slot: each }) => each));
  const ordered = ranges.every(
    ({ from, to, slot: each }, index) => from === (ranges[index - 1]?.to ?? -1) + 1 && to >= from && known.has(each),
  );
  return ordered && known.size === slots.length && ranges.at(-1)?.to === BUCKETS - 1;
}

/** How one request finds its key: fixed when the router starts. */
export const StickyKey = z.union([
  z.strictObject({ header: z.string() }),
  z.strictObject({ cookie: z.string() }),
  z.strictObject({ clientAddress: z.strictObject({}) }),
]);
export type StickyKey = z.infer<typeof StickyKey>;

/** GET /applied on AGENT_PORT: what this router really does. */
export const Applied = z.object({
  /** Generation of the table that HAProxy has committed; 0 before the first. */
  generation: z.int(),
  /** sha256 of the canonical JSON of that table. */
  checksum: z.string(),
  slots: z.array(
    z.object({
      slot: z.int(),
      variant: z.string(),
      servers: z.int(),
      /** Buckets that really go there; 0 when skipped. */
      buckets: z.int(),
      skipped: z.boolean(),
    }),
  ),
  /** That table itself, so that it can be written again when its ConfigMap is lost. Absent: this router no longer knows it. */
  table: RouterTable.optional(),
  /** Slots that have left the table and still hold servers. */
  leaving: z.array(z.int()).optional(),
});
export type Applied = z.infer<typeof Applied>;
