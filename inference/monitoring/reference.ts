// `reference` of metadata.json: how the features and the answers were distributed when the model was trained. What comes later is compared with it.
import * as z from 'zod';

const MAX_BINS = 100;
/** Reading them holds up requests for some milliseconds. */
export const MAX_FEATURES = 2_000;

/**
 * Counts (or shares) over bins between ascending edges, or over categories. A bin holds its lower edge, the last one its upper edge too, as in
 * `numpy.histogram`. `missing`: how many had no value.
 */
const Histogram = z
  .strictObject({
    edges: z
      .array(z.number())
      .min(2)
      .max(MAX_BINS + 1)
      .optional(),
    categories: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .max(MAX_BINS)
      .optional(),
    counts: z.array(z.number().min(0)).min(1).max(MAX_BINS),
    missing: z.number().min(0).default(0),
  })
  .superRefine((histogram, context) => {
    for (const { field, message } of faultsOf(histogram)) context.addIssue({ code: 'custom', path: [field], message });
  });
export type Histogram = z.infer<typeof Histogram>;
export type Category = NonNullable<Histogram['categories']>[number];

export const Reference = z.strictObject({
  /** Rows that were counted. */
  rows: z.number().min(0).optional(),
  /** By name of the feature. */
  features: z
    .record(z.string().min(1).max(1024), Histogram)
    .default({})
    .refine((features) => Object.keys(features).length <= MAX_FEATURES, `at most ${MAX_FEATURES} features`),
  /** Categories: the classes. Edges: the value of a regressor, or the probability of the second of two classes. */
  prediction: Histogram.optional(),
});
export type Reference = z.infer<typeof Reference>;

interface Fault {
  readonly field: string;
  readonly message: string;
}

/** What a schema of single fields cannot say. */
function faultsOf({ edges, categories, counts, missing }: Histogram): Fault[] {
  if ((edges === undefined) === (categories === undefined)) {
    return [{ field: 'edges', message: 'a histogram has either edges or categories' }];
  }
  const faults: Fault[] = [];
  const bins = edges === undefined ? (categories ?? []).length : edges.length - 1;
  if (counts.length !== bins) {
    faults.push({ field: 'counts', message: `there are ${bins} bins and ${counts.length} counts` });
  }
  if (edges?.some((edge, at) => at > 0 && edge <= (edges[at - 1] ?? Infinity)) === true) {
    faults.push({ field: 'edges', message: 'edges must ascend' });
  }
  if (categories !== undefined && new Set(categories.map(String)).size < categories.length) {
    faults.push({ field: 'categories', message: 'a category is there twice' });
  }
  if (!(counts.reduce((sum, count) => sum + count, missing) > 0)) {
    faults.push({ field: 'counts', message: 'at least one count must be more than 0' });
  }
  return faults;
}
