// Which share each feature has in an answer of trees: contributions that add up, from what the model expects without knowing the row, to the row's answer.
import { ModelInputError } from '../model/errors.ts';
import type { TreeInput } from './evaluate.ts';
import type { Matrix } from './matrix.ts';
import { Contributions, pathWidth, shareOf } from './shap.ts';
import type { Trees } from './trees.ts';

/** What is explained: probabilities, sums before a link function makes probabilities (or positive numbers) of them, or the prediction itself. */
export type ExplainedOutput = 'probability' | 'margin' | 'value';

/** An answer that is a sum over trees, divided by a number. */
export interface TreeSum {
  readonly trees: Trees;
  /** What each column of the sum starts from; zeros where it is absent. */
  readonly start?: Float64Array;
  /** Default: 1. */
  readonly divisor?: number;
  readonly output: ExplainedOutput;
  /** The numbers that the trees test, one a column of the input. Throws ModelInputError. */
  readonly inputOf: (input: Matrix) => TreeInput;
}

/** Steps of one request: some seconds of computing. */
const MAX_STEPS = 1e9;
/** Numbers of one answer. */
const MAX_NUMBERS = 1e6;
/** Numbers of the paths that a walk keeps. */
const MAX_PATHS = 4e6;
/** Steps at once: 2 to 3 ms. */
const STEPS_AT_ONCE = 2e5;
/** Weights of XGBoost's nodes are float32, and LightGBM's counts are estimates: sums of children differ by more than rounding. */
const COVER_TOLERANCE = 0.01;

/** Explains rows of one model. The model is looked at when it is first asked. */
export class Explainer {
  readonly #sum: TreeSum;
  readonly #columns: number;
  #known: Summary | undefined;

  /** `columns`: numbers in a row. */
  constructor(sum: TreeSum, columns: number) {
    this.#sum = sum;
    this.#columns = columns;
  }

  get output(): ExplainedOutput {
    return this.#sum.output;
  }

  /** Numbers for each feature: one for each class, or one. */
  get outputs(): number {
    return this.#sum.trees.outputs;
  }

  /** What the model answers on average over its training rows, as its trees know them: one number an output. Throws ModelInputError. */
  get expected(): Float64Array {
    return this.#summary().expected;
  }

  /** Throws ModelInputError when the rows cannot be explained, or are too many. */
  begin(values: Float64Array, rows: number): Explaining {
    const { trees, divisor = 1, inputOf } = this.#sum;
    this.#check(rows);
    const input = inputOf({ values, rows, columns: this.#columns });
    return new Explaining(new Contributions(trees, input), divisor);
  }

  #check(rows: number): void {
    const { steps, paths } = this.#summary();
    const most = Math.min(Math.floor(MAX_STEPS / steps), Math.floor(MAX_NUMBERS / (this.#columns * this.outputs)));
    if (paths > MAX_PATHS || most < 1) throw new ModelInputError('The trees of this model are too large to explain');
    if (rows > most) throw new ModelInputError(`At most ${most} rows of this model can be explained in one request`);
  }

  #summary(): Summary {
    this.#known ??= summaryOf(this.#sum, this.#columns);
    return this.#known;
  }
}

/** An explanation on its way. */
export class Explaining {
  readonly #contributions: Contributions;
  readonly #divisor: number;

  constructor(contributions: Contributions, divisor: number) {
    this.#contributions = contributions;
    this.#divisor = divisor;
  }

  /** Computes for some milliseconds. Returns whether everything has been done. */
  advance(): boolean {
    return this.#contributions.advance(STEPS_AT_ONCE);
  }

  /** Row-major: for each row and feature one number an output. To be taken when `advance` has said that all is done. */
  get values(): Float64Array {
    return this.#contributions.values.map((value) => value / this.#divisor);
  }
}

interface Summary {
  readonly expected: Float64Array;
  /** At most, for one row. */
  readonly steps: number;
  readonly paths: number;
}

function summaryOf({ trees, start, divisor = 1 }: TreeSum, columns: number): Summary {
  const sums = start === undefined ? new Float64Array(trees.outputs) : Float64Array.from(start);
  let steps = 0;
  let levels = 0;
  for (let tree = 0; tree < trees.roots.length; tree += 1) {
    steps += addExpected(trees, { tree, columns, sums });
    levels = Math.max(levels, (trees.depth[tree] ?? 0) + 1);
  }
  const paths = levels * pathWidth(levels - 1, columns);
  return { expected: sums.map((sum) => sum / divisor), steps: Math.max(1, steps), paths };
}

interface Share {
  readonly tree: number;
  readonly columns: number;
  readonly sums: Float64Array;
}

/** Adds what a tree answers on average to `sums`. Returns how many steps its explanation takes. Nodes stand level by level, parents first. */
function addExpected(trees: Trees, { tree, columns, sums }: Share): number {
  const { roots, left } = trees;
  const first = roots[tree] ?? 0;
  const end = roots[tree + 1] ?? left.length;
  const reach = new Float64Array(end - first).fill(1, 0, 1);
  const depth = new Int32Array(end - first);
  let steps = 0;
  for (let node = first; node < end; node += 1) {
    const child = left[node] ?? node;
    const level = depth[node - first] ?? 0;
    const share = reach[node - first] ?? 0;
    if (child === node) {
      addShare(trees, { node, share }, sums.subarray(trees.column[tree]));
      steps += pathWidth(level, columns) ** 2;
      continue;
    }
    checkCover(trees, node, node === first);
    depth.fill(level + 1, child - first, child - first + 2);
    for (const next of [child, child + 1]) reach[next - first] = share * shareOf(trees, node, next);
  }
  return steps;
}

function addShare(
  { answer, values, leafWidth }: Trees,
  { node, share }: { readonly node: number; readonly share: number },
  sums: Float64Array,
): void {
  const from = answer[node] ?? 0;
  for (let place = 0; place < leafWidth; place += 1) {
    sums[place] = (sums[place] ?? 0) + share * (values[from + place] ?? 0);
  }
}

function checkCover({ cover, left }: Trees, node: number, isRoot: boolean): void {
  const child = left[node] ?? node;
  const own = cover[node] ?? NaN;
  const [one, other] = [cover[child] ?? NaN, cover[child + 1] ?? NaN];
  const isSum = Math.abs(one + other - own) <= COVER_TOLERANCE * own;
  if (isSum && one >= 0 && other >= 0 && (own > 0 || !isRoot)) return;
  throw new ModelInputError('The file does not say how many training rows reached each node, which explanations need');
}
