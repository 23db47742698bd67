// Decision trees as flat typed arrays: the one form that every tree format is brought into, and that the evaluator walks.

/** All trees of a model, node after node. Indexes are positions in these arrays; children always come after their parent. */
export interface Trees {
  /** Index of each tree's root, in the order in which the answers are added up. */
  readonly roots: Int32Array<ArrayBuffer>;
  /** Column that a node tests, or -1 for a leaf. */
  readonly feature: Int32Array<ArrayBuffer>;
  /** A row goes left when its value, rounded to float32, is at most this. */
  readonly threshold: Float64Array<ArrayBuffer>;
  /** Index of the left child; for a leaf, the row of `values`. */
  readonly left: Int32Array<ArrayBuffer>;
  /** Index of the right child; 0 for a leaf. */
  readonly right: Int32Array<ArrayBuffer>;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array<ArrayBuffer>;
  /** The answers of the leaves: `classes` numbers each. */
  readonly values: Float64Array<ArrayBuffer>;
  /** Numbers in each row of `values`. */
  readonly classes: number;
  /** Whether NaN is an allowed input. */
  readonly acceptsMissing: boolean;
}
