// metadata.json: what the person who trained the model says of it. Defaults are those of the Python service, whose files must work untouched.
import * as z from 'zod';
import { LoadError } from '../errors.ts';
import { DEFAULT_FEATURES } from '../features/basket.ts';
import { Preprocessing } from '../features/declared.ts';
import { Reference } from '../monitoring/reference.ts';
import { parsePythonJson } from '../validation/python-json.ts';
import { Labels, Thresholds } from './decision.ts';

const rows = z.array(z.array(z.number()).max(100_000)).min(1).max(10_000);
/** As clients send them: null is a missing value. */
const cells = z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).max(100_000);

/** Rows whose answers are known: a model that answers otherwise is not the model that was trained. */
const Golden = z.object({
  inputs: z.array(cells).min(1).max(10_000),
  /** Probabilities of every class for each input, or the label alone. */
  outputs: z.union([rows, z.array(z.union([z.string(), z.number(), z.boolean()])).min(1)]),
  /** Largest difference allowed. */
  tolerance: z.number().min(0).default(0),
});
export type Golden = z.infer<typeof Golden>;

const NAME_RULE = 'must be a text of 1 to 253 characters without control characters: V1 and V2 call the model by it';
const ModelName = z
  .string({ error: NAME_RULE })
  .regex(/^[^\p{Cc}\p{Cs}]{1,253}$/u, { error: NAME_RULE })
  .refine((name) => name.trim() === name, { error: 'must not begin or end with a blank' });

const Metadata = z.object({
  name: ModelName.optional(),
  version: z.union([z.string().max(256), z.number().transform(String)]).default('1.0.0'),
  model_type: z.string().max(256).default('RandomForestClassifier'),
  features: z.array(z.string().max(1024)).max(100_000).default([]),
  metrics: z.record(z.string(), z.unknown()).default({}),
  /** From a request's body to features. */
  preprocessing: Preprocessing.default('basket'),
  labels: Labels.optional(),
  thresholds: Thresholds.optional(),
  golden: Golden.optional(),
  /** How features and answers were distributed in training. */
  reference: Reference.optional(),
  /** Of the model file inside the archive. */
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .optional(),
});

export interface Manifest extends z.infer<typeof Metadata> {
  /** Whether the features are the author's word, or merely the defaults of a file without metadata. */
  readonly declared: boolean;
}

/** Reads metadata.json; without one the Python service's defaults hold. Throws LoadError ArtifactInvalid. */
export function parseManifest(bytes: Uint8Array | undefined): Manifest {
  if (bytes === undefined) return { ...Metadata.parse({}), features: [...DEFAULT_FEATURES], declared: false };
  const parsed = Metadata.safeParse(contentOf(bytes));
  if (parsed.success) return { ...parsed.data, declared: true };
  const { path = [], message = 'invalid' } = parsed.error.issues[0] ?? {};
  throw invalid(path.length === 0 ? message : `${path.join('.')}: ${message}`, parsed.error);
}

/**
 * Reads the metadata.json of another server's artifact: a field that is of another form than ours is that server's own, and says nothing here. `version` is
 * undefined where the file names none. Throws LoadError ArtifactInvalid when it is no JSON object.
 */
export function parseForeignManifest(bytes: Uint8Array): { manifest: Manifest; version: string | undefined } {
  const content = contentOf(bytes);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw invalid('it is no object');
  const fields: Readonly<Record<string, z.ZodType>> = Metadata.shape;
  const usable = Object.fromEntries(
    Object.entries(content).filter(([name, value]) => fields[name]?.safeParse(value).success),
  );
  const manifest = { ...Metadata.parse(usable), declared: true };
  return { manifest, version: 'version' in usable ? manifest.version : undefined };
}

function contentOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'not JSON', error);
  }
}

/** Python writes NaN among metrics; that reader is slow, so it comes second. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parsePythonJson(text);
  }
}

function invalid(why: string, cause?: unknown): LoadError {
  return new LoadError('ArtifactInvalid', `metadata.json is not usable: ${why}`, { cause });
}
