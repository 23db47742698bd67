// VotingClassifier and VotingRegressor of scikit-learn: several estimators are asked, the mean or the majority of their answers is given.
import { ModelError } from '../model/errors.ts';
import { numberOf } from '../formats/numpy.ts';
import type { Compile, Definition, Predictor, PredictorPart } from './estimator.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import { type Matrix, argmaxOfRows } from './matrix.ts';

export interface VotingPart extends PredictorPart {
  readonly kind: 'voting';
  readonly members: readonly PredictorPart[];
  readonly weights: readonly number[];
  /** Whether each estimator has a vote for one class, not for a share of each. */
  readonly hard: boolean;
}

const MODULE = 'sklearn.ensemble._voting';
/** A dict of fitted estimators by name, of which `estimators_` has all: not read. */
export const BUNCHES: readonly string[] = ['sklearn.utils.Bunch', 'sklearn.utils._bunch.Bunch'];
export const LABEL_ENCODER = 'sklearn.preprocessing._label.LabelEncoder';

export const voting: Definition<VotingPart> = {
  kind: 'voting',
  names: [`${MODULE}.VotingClassifier`, `${MODULE}.VotingRegressor`],
  inert: [...BUNCHES, LABEL_ENCODER],
  takesText: true,
  firstOf: firstEstimator,
  read: readVoting,
  compile: compileVoting,
};

/** The first of `estimators_`. */
export function firstEstimator(fitted: Fitted): Fitted {
  const [first] = fitted.list('estimators_');
  return fitted.child(first);
}

function compileVoting(part: VotingPart, compile: Compile): Predictor {
  const { members, weights, hard, task, classes } = part;
  const operators = members.map((member) => compile(member));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const averageOf = (answers: readonly Float64Array[]) => weightedSum(answers, weights).map((sum) => sum / total);
  if (task !== 'classifier') {
    return { predict: (input) => averageOf(operators.map(({ predict }) => predict(input))) };
  }
  if (hard) {
    return {
      predict: (input) => {
        const votes = operators.map(({ predict }, at) => votesFor(predict(input), members[at], classes.length));
        return argmaxOfRows(weightedSum(votes, weights), classes.length);
      },
    };
  }
  const methods = operators.map(({ predictProba }, at) => {
    if (predictProba !== undefined) return predictProba;
    throw new ModelError('LoadFailed', `${members[at]?.modelType ?? ''} votes by probabilities that it does not give`);
  });
  const predictProba = (input: Matrix) => averageOf(methods.map((method) => method(input)));
  return { predict: (input) => argmaxOfRows(predictProba(input), classes.length), predictProba };
}

function weightedSum(answers: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const sums = new Float64Array(answers[0]?.length ?? 0);
  for (const [member, answer] of answers.entries()) {
    const weight = weights[member] ?? 0;
    for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) + (answer[at] ?? 0) * weight;
  }
  return sums;
}

/** 1 for the class that each row got, which are numbered for the members of a vote. */
function votesFor(answers: Float64Array, member: PredictorPart | undefined, classes: number): Float64Array {
  const votes = new Float64Array(answers.length * classes);
  for (const [row, answer] of answers.entries()) votes[row * classes + Number(member?.classes[answer] ?? 0)] = 1;
  return votes;
}

function readVoting(fitted: Fitted): VotingPart {
  const isClassifier = fitted.name.endsWith('Classifier');
  const classes = isClassifier ? fitted.labels() : [];
  const members = fitted.list('estimators_').map((value) => fitted.predictor(value));
  if (members.length === 0) throw fitted.damaged('without estimators');
  const hard = isClassifier && fitted.oneOf('voting', ['hard', 'soft']) === 'hard';
  for (const member of members) checkMember(fitted, member, { isClassifier, classes: classes.length, hard });
  return {
    kind: 'voting',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    members,
    weights: weightsOf(fitted, members.length),
    hard,
  };
}

interface Wanted {
  readonly isClassifier: boolean;
  readonly classes: number;
  readonly hard: boolean;
}

/** A classifier inside knows classes by number: all of them, or some where it has one vote. */
function checkMember(fitted: Fitted, member: PredictorPart, { isClassifier, classes, hard }: Wanted): void {
  const known = member.classes.every(
    (label) => Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes,
  );
  const all = member.classes.length === classes && member.classes.every((label, at) => label === at);
  const fits = isClassifier ? member.task === 'classifier' && known && (hard || all) : member.task !== 'classifier';
  if (!fits) throw fitted.damaged(`with a ${member.modelType} of other classes`);
}

/** `weights` of the estimators that were not dropped. */
function weightsOf(fitted: Fitted, members: number): readonly number[] {
  if (!fitted.isSet('weights')) return Array.from({ length: members }, () => 1);
  const value = fitted.value('weights');
  const all = Array.isArray(value) ? value : itemsOf(value, 'weights');
  const dropped = fitted.list('estimators').map((item) => itemsOf(item, 'an estimator')[1] === 'drop');
  const weights = all.filter((_, at) => dropped[at] !== true).map(numberOf);
  const sound = weights.length === members && weights.every((weight) => weight >= 0 && weight <= 1e100);
  if (sound && weights.some((weight) => weight > 0)) return weights;
  throw fitted.damaged('with other weights than estimators');
}
