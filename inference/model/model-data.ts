// What a model file says, as plain data, whatever its format.
import type { PredictorPart } from '../estimators/estimator.ts';

/** A class label as scikit-learn's `classes_` has it. */
export type ClassLabel = string | number | boolean;

/** A parsed model as plain data: it survives `postMessage`, and its arrays can be transferred. */
export interface ModelData {
  /** Columns of a row. */
  readonly features: number;
  readonly featureNames?: readonly string[];
  /** For each column that takes text: the texts that are known. A row has a text's place in this list, -1 for an unknown one. */
  readonly texts: ReadonlyMap<number, readonly string[]>;
  /** Columns that nothing reads, such as an id that the model drops. */
  readonly unused?: readonly number[];
  /** Version of the library that wrote the file, where the file says so. */
  readonly writtenBy?: string;
  readonly root: PredictorPart;
}
