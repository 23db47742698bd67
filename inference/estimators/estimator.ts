// What an estimator is to this server. A worker reads it from a file into a part: plain data, which can be handed to another thread. The thread that
// answers compiles the part into an operator. A new estimator is one file with one Definition, a line in registry.ts, and a golden file.
import type { ClassLabel } from '../model/model-data.ts';
import type { TreeSum } from './explain.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

/** What the last step of a model does. */
export type Task = 'classifier' | 'regressor' | 'clusterer' | 'outlier' | 'ranker';

interface PartOfAny {
  /** Names the definition that runs it. */
  readonly kind: string;
  /** Class name, such as "RandomForestClassifier". */
  readonly modelType: string;
}

/** Data of an estimator that answers. Definitions add their own numbers to it. */
export interface PredictorPart extends PartOfAny {
  readonly task: Task;
  /** `classes_`; empty unless the task is classifier. */
  readonly classes: readonly ClassLabel[];
}

/** Data of an estimator that turns columns into other columns. */
export interface TransformerPart extends PartOfAny {
  /** Columns that it makes. */
  readonly outputs: number;
  /** For each of them, the column of the request's row whose cells (filled in or not) it holds, else -1. Absent: all are computed. */
  readonly origins?: readonly number[];
}

export type Part = PredictorPart | TransformerPart;

/** The answers of scikit-learn's methods of these names. Each throws ModelInputError where scikit-learn raises ValueError. */
export interface Predictor {
  /** One number a row: the index of a class for a classifier, else the value, cluster, or 1 and -1 of an outlier detector. */
  readonly predict: (input: Matrix) => Float64Array;
  /** One number a row and class. */
  readonly predictProba?: (input: Matrix) => Float64Array;
  /** One number a row, or one a row and class where there are more than two. */
  readonly decisionFunction?: (input: Matrix) => Float64Array;
  /** The sum over trees that its answers are made of, where each column of the input is one that the trees test. */
  readonly treeSum?: TreeSum;
}

export interface Transformer {
  readonly transform: (input: Matrix) => Matrix;
  /** Each column becomes the column of the same place, by itself: what is said about the one holds for the other. */
  readonly keepsColumns?: true;
}

export type Operator = Predictor | Transformer;

/** Makes the operator of any part, for definitions that hold others. */
export type Compile = <P extends Part>(part: P) => P extends PredictorPart ? Predictor : Transformer;

/** What an estimator was fitted on. */
export interface InputNotes {
  readonly columns: number;
  readonly names?: readonly string[] | undefined;
}

export interface Definition<P extends Part = Part> {
  readonly kind: P['kind'];
  /** Names of the classes that `read` takes, as pickles have them: module and class. */
  readonly names: readonly string[];
  /** Further names that their attributes may hold. They are never run or looked at. */
  readonly inert?: readonly string[];
  /** Its input may hold text: it tells by `reading.asNumbers` which columns it reads as numbers. Of others all are. */
  readonly takesText?: true;
  /** What its rows are, for one that does not note `n_features_in_` and `feature_names_in_`. Throws ModelError. */
  readonly inputOf?: (fitted: Fitted) => InputNotes;
  /** The estimator inside that is given the input as it came, for one that does not note `n_features_in_` itself. */
  firstOf?(fitted: Fitted): Fitted;
  /** Checks everything that could make an answer wrong or a walk endless. Throws ModelError. */
  read(fitted: Fitted): P;
  /** Cheap: it happens on the thread that answers. */
  compile(part: P, compile: Compile): Operator;
}

export function isPredictorPart(part: Part): part is PredictorPart {
  return 'task' in part;
}
