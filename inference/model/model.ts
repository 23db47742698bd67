// What the server knows of a model, whatever its file format. A file is parsed in a worker into plain data
// (ModelData), the data is transferred without a copy, and the main thread wraps it into a Model.
import { shown } from './byte-reader.ts';
import { ModelError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { readForest } from './forest.ts';
import { readJoblib } from './joblib.ts';
import type { ClassLabel, ModelData } from './model-data.ts';

export { ModelError, ModelInputError } from './errors.ts';
export type { ModelErrorReason } from './errors.ts';

/** A model that is ready to answer. */
export interface Model {
  /** The estimator's class name, such as "RandomForestClassifier". */
  readonly modelType: string;
  /** Numbers in a row (`n_features_in_`). */
  readonly features: number;
  /** Present when the model was fitted on a table with column names (`feature_names_in_`). */
  readonly featureNames?: readonly string[];
  /** One label per column of the answer (`classes_`). */
  readonly classes: readonly ClassLabel[];
  /** Memory of the model's arrays, in bytes. */
  readonly bytes: number;
  /**
   * The probability of each class: `count` rows of `features` numbers in, `count` rows of `classes.length` numbers out, both
   * row-major. Bit for bit what scikit-learn's `predict_proba` answers with `n_jobs=1`. Synchronous: keep batches small.
   * Throws ModelInputError where scikit-learn raises ValueError.
   */
  predictProba(rows: Float64Array, count: number): Float64Array;
}

/** Bounds on what a file may ask for while it is read. */
export interface ModelLimits {
  /** Most bytes after decompression, and most bytes of the finished arrays. */
  readonly maxBytes: number;
}

/**
 * Reads a model file: `.joblib`, `.pkl` or `.pickle`, plain, zlib or gzip. Nothing in the file is ever executed.
 * Throws only ModelError.
 */
export function parseModel(fileName: string, bytes: Uint8Array, limits: ModelLimits): ModelData {
  if (!/\.(joblib|pkl|pickle)$/i.test(fileName)) {
    throw new ModelError(
      'UnsupportedModel',
      `${shown(fileName)}: no reader for this kind of file; save a RandomForestClassifier as model.joblib`,
    );
  }
  try {
    return readForest(readJoblib(bytes, limits.maxBytes), limits.maxBytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ModelError('ArtifactTooLarge', `there is no memory for the model (${cause.message})`, { cause });
  }
}

/** Wraps parsed data; cheap, to be called on the thread that answers. */
export function modelOf(data: ModelData): Model {
  const { modelType, features, featureNames, classes, trees } = data;
  return {
    modelType,
    features,
    ...(featureNames !== undefined && { featureNames }),
    classes,
    bytes: transferables(data).reduce((sum, buffer) => sum + buffer.byteLength, 0),
    predictProba: (rows, count) => evaluate(trees, features, rows, count),
  };
}

/** The buffers to hand over with `postMessage(data, transferables(data))`. */
export function transferables({ trees }: ModelData): ArrayBuffer[] {
  const { roots, feature, threshold, left, right, answer, missingLeft, values } = trees;
  return [roots, feature, threshold, left, right, answer, missingLeft, values].map((array) => array.buffer);
}
