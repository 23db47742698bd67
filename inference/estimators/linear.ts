// Linear models of scikit-learn: one weighted sum a row, or one for each class.
import { elements } from '../formats/numpy.ts';
import { Instance } from '../formats/pickle-value.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { type Affine, affine, checkFiniteInput, classOfDecision, normalizeRows, weightsOf } from './algebra.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { bothProbabilities, expit, softmaxOfRows } from './links.ts';
import { LOSSES } from './losses.ts';
import type { Matrix } from './matrix.ts';

/** How a classifier's weighted sums become probabilities: by the logistic function of each, by softmax, or by clipping (modified Huber). */
type Link = 'logistic' | 'softmax' | 'clip';

export interface LinearPart extends PredictorPart, Affine {
  readonly kind: 'linear';
  /** Absent: there is no predict_proba. */
  readonly link?: Link;
}

const BINARIZER = 'sklearn.preprocessing._label.LabelBinarizer';
const LOGISTIC = ['LogisticRegression', 'LogisticRegressionCV'];
const STOCHASTIC = ['SGDClassifier'];
const MODULES: Readonly<Record<string, readonly string[]>> = {
  _base: ['LinearRegression'],
  _bayes: ['BayesianRidge'],
  _coordinate_descent: ['ElasticNet', 'ElasticNetCV', 'Lasso', 'LassoCV'],
  _huber: ['HuberRegressor'],
  _logistic: LOGISTIC,
  _perceptron: ['Perceptron'],
  _ridge: ['Ridge', 'RidgeCV', 'RidgeClassifier', 'RidgeClassifierCV'],
  _stochastic_gradient: [...STOCHASTIC, 'SGDRegressor'],
};
const OLD_LOSSES = ['EpsilonInsensitive', 'Hinge', 'Huber', 'Log', 'ModifiedHuber', 'SquaredEpsilonInsensitive'];
const MORE_LOSSES = ['SquaredHinge', 'SquaredLoss'];

export const linear: Definition<LinearPart> = {
  kind: 'linear',
  names: [
    ...Object.entries(MODULES).flatMap(([file, names]) => names.map((name) => `sklearn.linear_model.${file}.${name}`)),
    'sklearn.svm._classes.LinearSVC',
    'sklearn.svm._classes.LinearSVR',
  ],
  // the loss that an SGD estimator was trained with; how Ridge classifiers know their labels
  inert: [
    ...[...OLD_LOSSES, ...MORE_LOSSES].map((name) => `sklearn.linear_model._sgd_fast.${name}`),
    ...LOSSES,
    BINARIZER,
  ],
  read: readLinear,
  compile: (part) => (part.task === 'classifier' ? classifier(part) : regressor(part)),
};

function regressor(part: LinearPart): Predictor {
  return {
    predict: (input) => {
      checkFiniteInput(input);
      return affine(input, part);
    },
  };
}

function classifier(part: LinearPart): Predictor {
  const width = part.bias.length;
  const { link } = part;
  const decide = (input: Matrix) => {
    checkFiniteInput(input);
    return affine(input, part);
  };
  return {
    predict: (input) => classOfDecision(decide(input), width),
    ...(link && { predictProba: (input) => shares(decide(input), width, link) }),
    decisionFunction: decide,
  };
}

/** Probabilities of the classes from weighted sums, `width` a row. */
function shares(sums: Float64Array<ArrayBuffer>, width: number, link: Link): Float64Array {
  if (link === 'softmax') return width === 1 ? softmaxOfSign(sums) : softmaxOfRows(sums, width);
  const single = link === 'logistic' ? expit : (sum: number) => (Math.min(Math.max(sum, -1), 1) + 1) / 2;
  return width === 1 ? bothProbabilities(sums, single) : normalizeRows(sums.map(single), width);
}

/** Two classes trained as if they were more: the softmax of the sum and its opposite. */
function softmaxOfSign(sums: Float64Array): Float64Array {
  const both = new Float64Array(sums.length * 2);
  for (const [row, sum] of sums.entries()) both.set([-sum, sum], 2 * row);
  return softmaxOfRows(both, 2);
}

function readLinear(fitted: Fitted): LinearPart {
  const isClassifier = fitted.has('classes_') || fitted.name.startsWith('RidgeClassifier');
  const classes = isClassifier ? classesOf(fitted) : [];
  const link = isClassifier ? linkOf(fitted, classes) : undefined;
  return {
    kind: 'linear',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    ...affineOf(fitted, isClassifier ? outputsOf(fitted, classes) : 1),
    ...(link && { link }),
  };
}

/** `classes_`; Ridge classifiers have them in the binarizer of their labels, which tells of several outputs too. */
function classesOf(fitted: Fitted): readonly ClassLabel[] {
  if (!fitted.has('_label_binarizer')) return fitted.labels();
  const binarizer = fitted.helper('_label_binarizer', [BINARIZER]);
  if (binarizer.text('y_type_').startsWith('multilabel')) {
    throw fitted.unsupported('with several outputs: train one model per output');
  }
  return binarizer.labels();
}

function outputsOf(fitted: Fitted, classes: readonly ClassLabel[]): number {
  if (classes.length < 2) throw fitted.damaged('of a single class');
  return classes.length === 2 ? 1 : classes.length;
}

function affineOf(fitted: Fitted, outputs: number): Affine {
  const { shape } = fitted.array('coef_');
  const [rows = 0] = shape;
  if (outputs === 1 && shape.length === 2 && rows > 1) {
    throw fitted.unsupported('with several outputs: train one model per output');
  }
  const flat = outputs === 1 && shape.length === 1;
  const weights = weightsOf(fitted, 'coef_', flat ? [fitted.columns] : [outputs, fitted.columns]);
  return { weights, bias: biasOf(fitted, outputs) };
}

/** `intercept_`: a number, or an array with one or with a number for each output. */
function biasOf(fitted: Fitted, outputs: number): Float64Array<ArrayBuffer> {
  const value = fitted.value('intercept_');
  const isNumber = typeof value === 'number' || (value instanceof Instance && value.callable.role === 'scalar');
  if (isNumber) return fitted.finite(new Float64Array(outputs).fill(fitted.number('intercept_')), 'intercept_');
  const { shape } = fitted.array('intercept_');
  const numbers = weightsOf(fitted, 'intercept_', elements(shape) === 1 ? shape : [outputs]);
  return numbers.length === outputs ? numbers : new Float64Array(outputs).fill(numbers[0] ?? 0);
}

function linkOf(fitted: Fitted, classes: readonly ClassLabel[]): Link | undefined {
  if (LOGISTIC.includes(fitted.name)) return logisticLink(fitted, classes);
  if (!STOCHASTIC.includes(fitted.name)) return undefined;
  const loss = fitted.text('loss');
  if (loss === 'modified_huber') return 'clip';
  return loss === 'log_loss' || loss === 'log' ? 'logistic' : undefined;
}

/** From 1.8 on there is no `multi_class`: two classes are logistic, more are softmax. Before, it and the solver decide. */
function logisticLink(fitted: Fitted, classes: readonly ClassLabel[]): Link {
  const single: Link = classes.length <= 2 ? 'logistic' : 'softmax';
  if (!fitted.has('multi_class')) return single;
  const asked = fitted.oneOf('multi_class', ['auto', 'deprecated', 'warn', 'ovr', 'multinomial']);
  if (asked === 'multinomial') return 'softmax';
  if (asked === 'ovr' || asked === 'warn') return 'logistic';
  const solver = fitted.text('solver');
  const oneVersusRest = solver === 'liblinear' || (solver === 'newton-cholesky' && !fitted.isFrom(1, 6));
  return oneVersusRest ? 'logistic' : single;
}
