// What a model file says, as plain data, whatever its format.
import type { Trees } from './trees.ts';

/** A class label as scikit-learn's `classes_` has it. */
export type ClassLabel = string | number | boolean;

/** A parsed model as plain data: it survives `postMessage`, and its arrays can be transferred. */
export interface ModelData {
  readonly modelType: string;
  readonly features: number;
  readonly featureNames?: readonly string[];
  readonly classes: readonly ClassLabel[];
  /** Version of the library that wrote the file, where the file says so. */
  readonly writtenBy?: string;
  readonly trees: Trees;
}
