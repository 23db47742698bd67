// What the server knows of a model, whatever its file format. A file is parsed in a worker into plain data
// (ModelData), the data is transferred without a copy, and the main thread wraps it into a Model.
import type { Task } from '../estimators/estimator.ts';
import { Explainer } from '../estimators/explain.ts';
import type { Matrix } from '../estimators/matrix.ts';
import { compilePredictor } from '../estimators/registry.ts';
import { ModelError, ModelInputError } from './errors.ts';
import { readerOf } from './file-readers.ts';
import type { ClassLabel, ModelData } from './model-data.ts';

export { ModelError, ModelInputError } from './errors.ts';
export type { ModelErrorReason } from './errors.ts';

/** `count` rows of `features` numbers, row-major, to the numbers of an answer, row-major. Synchronous: keep batches small. */
export type Method = (rows: Float64Array, count: number) => Float64Array;

/** A model that answers from another thread. */
export interface Remote {
  /** What the method of that name answers. Throws ModelInputError, HttpError 503 where the thread has ended. */
  readonly run: (output: OutputName, rows: Float64Array, count: number) => Promise<Float64Array>;
  /** Keeps the model for a request, until the function that it answers is called. */
  readonly hold: () => () => void;
  /** Nobody will ask for it again: its memory is freed when the last request is answered. */
  readonly letGo: () => void;
}

/** A model that is ready to answer. Its methods throw ModelInputError where scikit-learn raises ValueError. */
export interface Model {
  /** The estimator's class name, such as "RandomForestClassifier". */
  readonly modelType: string;
  readonly task: Task;
  /** Numbers in a row (`n_features_in_`). */
  readonly features: number;
  /** Present when the model was fitted on a table with column names (`feature_names_in_`). */
  readonly featureNames?: readonly string[];
  /** For each column that takes text: the number that stands for each known text. Others are -1, a missing one is NaN. */
  readonly texts: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Columns that nothing reads: their cells may hold, or lack, anything. */
  readonly unused?: ReadonlySet<number>;
  /** One label per class (`classes_`); empty unless the task is classifier. */
  readonly classes: readonly ClassLabel[];
  /** Memory of the model's arrays, in bytes. */
  readonly bytes: number;
  /** One number a row: the index of its class for a classifier, else the value, cluster, or 1 and -1 of an outlier detector. */
  readonly predict: Method;
  /** The probability of each class. */
  readonly predictProba?: Method;
  /** One number a row, or one a row and class where there are more than two. */
  readonly decisionFunction?: Method;
  /** The contributions of the features, for models that are sums over trees. */
  readonly explainer?: Explainer;
  /** Where it answers in another thread: then the methods only say which answers it has, and throw. */
  readonly remote?: Remote;
}

/** Bounds on what a file may ask for while it is read. */
export interface ModelLimits {
  /** Most bytes after decompression, and most bytes of the finished arrays. */
  readonly maxBytes: number;
}

/**
 * Reads a model file of one of the kinds of file-readers.ts. Nothing in the file is ever executed. Throws only ModelError.
 */
export function parseModel(fileName: string, bytes: Uint8Array, limits: ModelLimits): ModelData {
  const read = readerOf(fileName);
  try {
    const data = read(bytes, limits.maxBytes);
    // the parts fit together: what this throws belongs to the file, not to the thread that answers
    compilePredictor(data.root);
    return data;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ModelError('ArtifactTooLarge', `there is no memory for the model (${cause.message})`, { cause });
  }
}

/** Wraps parsed data; cheap, to be called on the thread that answers. */
export function modelOf(data: ModelData): Model {
  const { features, featureNames, unused, root } = data;
  const { predict, predictProba, decisionFunction, treeSum } = compilePredictor(root);
  const method =
    (run: (input: Matrix) => Float64Array): Method =>
    (values, rows) => {
      if (!Number.isInteger(rows) || rows < 0 || values.length !== rows * features) {
        throw new ModelInputError(
          `X has ${values.length} numbers, but ${rows} rows of ${features} features are expected`,
        );
      }
      return run({ values, rows, columns: features });
    };
  return {
    modelType: root.modelType,
    task: root.task,
    features,
    ...(featureNames && { featureNames }),
    texts: new Map([...data.texts].map(([column, texts]) => [column, new Map(texts.map((text, at) => [text, at]))])),
    ...(unused && { unused: new Set(unused) }),
    classes: root.classes,
    bytes: buffersOf(data).reduce((sum, buffer) => sum + buffer.byteLength, 0),
    predict: method(predict),
    ...(predictProba && { predictProba: method(predictProba) }),
    ...(decisionFunction && { decisionFunction: method(decisionFunction) }),
    ...(treeSum && { explainer: new Explainer(treeSum, features) }),
  };
}

/** Names of a model's answers, by which V2 asks for them: those of scikit-learn's methods. */
export const OUTPUTS = ['predict', 'predict_proba', 'decision_function'] as const;
export type OutputName = (typeof OUTPUTS)[number];

/** The method of an output's name; undefined where the model has none of that name. */
export function methodOf(model: Model, output: OutputName): Method | undefined {
  if (output === 'predict') return model.predict;
  return output === 'predict_proba' ? model.predictProba : model.decisionFunction;
}

/** Names of the answers that a model has. */
export function outputsOf(model: Model): readonly OutputName[] {
  return OUTPUTS.filter((output) => methodOf(model, output) !== undefined);
}

/** The buffers to hand over with `postMessage(data, transferables(data))`. Shared ones go without. */
export function transferables(data: ModelData): ArrayBuffer[] {
  return buffersOf(data).filter((buffer) => buffer instanceof ArrayBuffer);
}

function buffersOf({ root }: ModelData): ArrayBufferLike[] {
  const found = new Set<ArrayBufferLike>();
  collect(root, found);
  return [...found];
}

/** Parts are trees of plain objects and lists, as deep as their reader allows. */
function collect(value: unknown, found: Set<ArrayBufferLike>): void {
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collect(member, found);
  }
}
