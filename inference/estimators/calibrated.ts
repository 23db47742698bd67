// CalibratedClassifierCV of scikit-learn: scores of classifiers, each turned into a probability by a curve, and the mean of those.
import { ModelError } from '../model/errors.ts';
import { normalizeRows } from './algebra.ts';
import type { Compile, Definition, Predictor, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Steps, interpolated, stepsOf } from './isotonic.ts';
import { bothProbabilities, expit, softmaxOfRows } from './links.ts';
import { type Matrix, argmaxOfRows } from './matrix.ts';

/** From a score to a probability. */
type Curve =
  { readonly kind: 'sigmoid'; readonly a: number; readonly b: number } | ({ readonly kind: 'isotonic' } & Steps);

interface Member {
  readonly part: PredictorPart;
  /** One for each class, of two classes for the second. */
  readonly curves: readonly Curve[];
  /** Instead of curves: what all scores are multiplied by. */
  readonly beta?: number;
}

export interface CalibratedPart extends PredictorPart {
  readonly kind: 'calibrated';
  readonly members: readonly Member[];
}

const MODULE = 'sklearn.calibration';
const MEMBER = `${MODULE}._CalibratedClassifier`;
const SIGMOID = `${MODULE}._SigmoidCalibration`;
const TEMPERATURE = `${MODULE}._TemperatureScaling`;
const ISOTONIC = 'sklearn.isotonic.IsotonicRegression';
/** Keeps the logarithm of a probability from being infinite. */
const EPSILON = 1e-12;

export const calibrated: Definition<CalibratedPart> = {
  kind: 'calibrated',
  names: [`${MODULE}.CalibratedClassifierCV`],
  inert: [MEMBER, SIGMOID, TEMPERATURE, ISOTONIC],
  takesText: true,
  firstOf: (fitted) => {
    const [first] = membersOf(fitted);
    if (first === undefined) throw fitted.damaged('without classifiers');
    return fitted.child(first.value('estimator'));
  },
  read: readCalibrated,
  compile: ({ members, classes }, compile) => {
    const operators = members.map((member) => memberOperator(member, classes.length, compile));
    const predictProba = (input: Matrix) => {
      const all = operators.map((shares) => shares(input));
      const sums = new Float64Array(input.rows * classes.length);
      for (const shares of all)
        for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) + (shares[at] ?? 0);
      return sums.map((sum) => sum / all.length);
    };
    return { predict: (input) => argmaxOfRows(predictProba(input), classes.length), predictProba } satisfies Predictor;
  },
};

function memberOperator(member: Member, classes: number, compile: Compile): (input: Matrix) => Float64Array {
  const { part, curves, beta } = member;
  const { decisionFunction, predictProba } = compile(part);
  const method = decisionFunction ?? predictProba;
  if (method === undefined) throw new ModelError('LoadFailed', `${part.modelType} gives no scores to calibrate`);
  if (beta !== undefined) {
    const isShare = decisionFunction === undefined;
    return (input) =>
      softmaxOfRows(
        logitsOf(method(input), classes, isShare).map((logit) => logit * beta),
        classes,
      );
  }
  if (classes > 2) return (input) => ofClasses(curves, method(input), classes);
  // of two probabilities the second, of one score itself
  const scores =
    decisionFunction ?? ((input: Matrix) => (predictProba?.(input) ?? input.values).filter((_, at) => at % 2 === 1));
  return (input) => bothProbabilities(scores(input), (score) => capped(valueOf(curves[0], score)));
}

function ofClasses(curves: readonly Curve[], scores: Float64Array, classes: number): Float64Array {
  const shares = new Float64Array(scores.length);
  for (const [at, score] of scores.entries()) shares[at] = valueOf(curves[at % classes], score);
  return normalizeRows(shares, classes).map(capped);
}

/** A little above 1 is rounding. */
function capped(share: number): number {
  return share > 1 && share <= 1 + 1e-5 ? 1 : share;
}

function valueOf(curve: Curve | undefined, score: number): number {
  if (curve === undefined) return 0;
  return curve.kind === 'sigmoid' ? expit(-(curve.a * score + curve.b)) : interpolated(curve, score);
}

function logitsOf(scores: Float64Array, classes: number, isShare: boolean): Float64Array {
  if (isShare) return scores.map((share) => Math.log(share + EPSILON));
  if (classes > 2) return scores;
  const both = new Float64Array(scores.length * 2);
  for (const [row, score] of scores.entries()) both.set([-score, score], 2 * row);
  return both;
}

function membersOf(fitted: Fitted): readonly Fitted[] {
  return fitted
    .list('calibrated_classifiers_')
    .map((value) => fitted.helperOf(value, 'calibrated_classifiers_', [MEMBER]));
}

function readCalibrated(fitted: Fitted): CalibratedPart {
  const classes = fitted.labels();
  const members = membersOf(fitted).map((member) => memberOf(member, classes));
  if (members.length === 0 || classes.length < 2) throw fitted.damaged('without classifiers or classes');
  return { kind: 'calibrated', modelType: fitted.name, task: 'classifier', classes, members };
}

function memberOf(member: Fitted, classes: PredictorPart['classes']): Member {
  const part = member.predictor(member.value('estimator'));
  // temperature scaling numbers the classes
  const same =
    part.classes.length === classes.length && part.classes.every((label, at) => label === classes[at] || label === at);
  if (!same) throw member.unsupported('has seen other classes than the whole: use folds that hold all of them');
  const helpers = member
    .list('calibrators')
    .map((value) => member.helperOf(value, 'calibrators', [SIGMOID, ISOTONIC, TEMPERATURE]));
  const wanted = classes.length === 2 ? 1 : classes.length;
  const [first] = helpers;
  if (first?.path === TEMPERATURE && helpers.length === 1) return { part, curves: [], beta: finiteOf(first, 'beta_') };
  if (helpers.length !== wanted) throw member.damaged(`with ${helpers.length} curves for ${classes.length} classes`);
  return { part, curves: helpers.map(curveOf) };
}

function curveOf(curve: Fitted): Curve {
  if (curve.path === SIGMOID) return { kind: 'sigmoid', a: finiteOf(curve, 'a_'), b: finiteOf(curve, 'b_') };
  if (curve.path === ISOTONIC) return { kind: 'isotonic', ...stepsOf(curve) };
  throw curve.damaged('among the curves');
}

function finiteOf(curve: Fitted, name: string): number {
  const number = curve.number(name);
  if (Math.abs(number) <= 1e100) return number;
  throw curve.damaged(`whose ${name} is no number`);
}
