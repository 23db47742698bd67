// StackingClassifier and StackingRegressor of scikit-learn: the answers of several estimators are the input of a last one.
import { ModelError } from '../model/errors.ts';
import type { Compile, Definition, Predictor, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';
import { BUNCHES, LABEL_ENCODER, firstEstimator } from './voting.ts';

const METHODS = ['predict', 'predict_proba', 'decision_function'] as const;

interface Member {
  readonly part: PredictorPart;
  readonly method: (typeof METHODS)[number];
  /** Numbers that it gives for a row. */
  readonly width: number;
}

export interface StackingPart extends PredictorPart {
  readonly kind: 'stacking';
  readonly members: readonly Member[];
  readonly last: PredictorPart;
  /** Whether the row itself follows the answers. */
  readonly passthrough: boolean;
}

const MODULE = 'sklearn.ensemble._stacking';

export const stacking: Definition<StackingPart> = {
  kind: 'stacking',
  names: [`${MODULE}.StackingClassifier`, `${MODULE}.StackingRegressor`],
  inert: [...BUNCHES, LABEL_ENCODER],
  takesText: true,
  firstOf: firstEstimator,
  read: readStacking,
  compile: compileStacking,
};

function compileStacking({ members, last, passthrough }: StackingPart, compile: Compile): Predictor {
  const columns = members.map((member) => ({ width: member.width, answer: methodOf(member, compile) }));
  const answered = columns.reduce((sum, { width }) => sum + width, 0);
  const stacked = (input: Matrix): Matrix => {
    const width = answered + (passthrough ? input.columns : 0);
    const values = new Float64Array(input.rows * width);
    const blocks = columns.map((column) => ({ width: column.width, values: column.answer(input) }));
    if (passthrough) blocks.push({ width: input.columns, values: input.values });
    let first = 0;
    for (const block of blocks) {
      place(block, values, { first, width });
      first += block.width;
    }
    return { values, rows: input.rows, columns: width };
  };
  const { predict, predictProba, decisionFunction } = compile(last);
  return {
    predict: (input) => predict(stacked(input)),
    ...(predictProba && { predictProba: (input) => predictProba(stacked(input)) }),
    ...(decisionFunction && { decisionFunction: (input) => decisionFunction(stacked(input)) }),
  };
}

interface Block {
  readonly width: number;
  readonly values: Float64Array;
}

/** Puts the columns of a block into wider rows, from column `first` on. */
function place(block: Block, values: Float64Array, { first, width }: { first: number; width: number }): void {
  for (let at = 0; at < block.values.length; at += 1) {
    values[Math.floor(at / block.width) * width + first + (at % block.width)] = block.values[at] ?? 0;
  }
}

function methodOf({ part, method }: Member, compile: Compile): (input: Matrix) => Float64Array {
  const { predict, predictProba, decisionFunction } = compile(part);
  if (method === 'predict') {
    if (part.task !== 'classifier') return predict;
    return (input) => predict(input).map((answer) => Number(part.classes[answer] ?? 0));
  }
  if (method === 'decision_function' && decisionFunction !== undefined) return decisionFunction;
  if (method === 'decision_function' || predictProba === undefined) {
    throw new ModelError('LoadFailed', `${part.modelType} is stacked by its ${method}, which it has not`);
  }
  if (part.classes.length > 2) return predictProba;
  // the probability of the first of two classes says nothing more
  return (input) => predictProba(input).filter((_, at) => at % 2 === 1);
}

function readStacking(fitted: Fitted): StackingPart {
  const isClassifier = fitted.name.endsWith('Classifier');
  const classes = isClassifier ? fitted.labels() : [];
  const methods = fitted.list('stack_method_');
  const members = fitted.list('estimators_').map((value, at) => {
    const method = METHODS.find((name) => name === methods[at]);
    if (method === undefined) throw fitted.damaged('with an estimator that is asked for nothing');
    return memberOf(fitted, fitted.predictor(value), method, classes.length);
  });
  const passthrough = fitted.flag('passthrough');
  const answered = members.reduce((sum, { width }) => sum + width, 0);
  const computed = Array.from({ length: answered }, () => -1);
  const last = fitted.predictor(
    fitted.value('final_estimator_'),
    passthrough ? [...computed, ...fitted.origins] : computed,
  );
  if (!numbered(last, classes.length)) throw fitted.damaged(`that ends in a ${last.modelType} of other classes`);
  const task = isClassifier ? 'classifier' : 'regressor';
  return { kind: 'stacking', modelType: fitted.name, task, classes, members, last, passthrough };
}

/** Whether it knows `count` classes by their numbers; with 0, whether it is no classifier. */
function numbered({ task, classes }: PredictorPart, count: number): boolean {
  if (count === 0) return task !== 'classifier';
  return task === 'classifier' && classes.length === count && classes.every((label, at) => label === at);
}

function memberOf(fitted: Fitted, part: PredictorPart, method: Member['method'], classes: number): Member {
  const isClassifier = part.task === 'classifier';
  if (method === 'predict') {
    const numbers = !isClassifier || part.classes.every((label) => typeof label !== 'string');
    if (!numbers) throw fitted.unsupported(`stacks the labels of a ${part.modelType}, which are texts`);
    return { part, method, width: 1 };
  }
  if (!isClassifier || part.classes.length !== classes) {
    throw fitted.damaged(`with a ${part.modelType} of other classes`);
  }
  return { part, method, width: classes > 2 ? classes : 1 };
}
