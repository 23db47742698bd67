// MLPClassifier and MLPRegressor of scikit-learn: layers of weighted sums, each bent by a function.
import type { ClassLabel } from '../model/model-data.ts';
import { type Affine, affine, checkFiniteInput, weightsOfArray } from './algebra.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { bothProbabilities, expit, softmaxOfRows } from './links.ts';
import { type Matrix, argmaxOfRows } from './matrix.ts';

const HIDDEN = ['relu', 'tanh', 'logistic', 'identity'] as const;
const LAST = ['identity', 'logistic', 'softmax', 'exp'] as const;

export interface PerceptronPart extends PredictorPart {
  readonly kind: 'perceptron';
  readonly layers: readonly Affine[];
  readonly hidden: (typeof HIDDEN)[number];
  readonly last: (typeof LAST)[number];
}

const MODULE = 'sklearn.neural_network';
const BINARIZER = 'sklearn.preprocessing._label.LabelBinarizer';
const OPTIMIZERS = ['AdamOptimizer', 'SGDOptimizer'];

export const perceptron: Definition<PerceptronPart> = {
  kind: 'perceptron',
  names: [`${MODULE}._multilayer_perceptron.MLPClassifier`, `${MODULE}._multilayer_perceptron.MLPRegressor`],
  // what the weights were trained with
  inert: [BINARIZER, ...OPTIMIZERS.map((name) => `${MODULE}._stochastic_optimizers.${name}`)],
  read: readPerceptron,
  compile: (part) => {
    const outputs = (input: Matrix) => passed(part, input);
    if (part.task !== 'classifier') return { predict: outputs };
    const { length } = part.classes;
    const isBinary = length === 2;
    return {
      predict: (input) =>
        isBinary ? outputs(input).map((share) => (share > 0.5 ? 1 : 0)) : argmaxOfRows(outputs(input), length),
      predictProba: (input) => (isBinary ? bothProbabilities(outputs(input), (share) => share) : outputs(input)),
    } satisfies Predictor;
  },
};

const BENT: Readonly<Record<Exclude<PerceptronPart['hidden' | 'last'], 'softmax'>, (sum: number) => number>> = {
  identity: (sum) => sum,
  relu: (sum) => Math.max(sum, 0),
  tanh: Math.tanh,
  logistic: expit,
  exp: Math.exp,
};

function passed({ layers, hidden, last }: PerceptronPart, input: Matrix): Float64Array {
  checkFiniteInput(input);
  let matrix = input;
  for (const [at, layer] of layers.entries()) {
    const isLast = at === layers.length - 1;
    const sums = affine(matrix, layer);
    const columns = layer.bias.length;
    const bend = isLast ? last : hidden;
    const values = bend === 'softmax' ? softmaxOfRows(sums, columns) : sums.map(BENT[bend]);
    matrix = { values, rows: matrix.rows, columns };
  }
  return matrix.values;
}

function readPerceptron(fitted: Fitted): PerceptronPart {
  const isClassifier = fitted.name === 'MLPClassifier';
  const classes = isClassifier ? classesOf(fitted) : [];
  const last = fitted.oneOf('out_activation_', LAST);
  const outputs = classes.length > 2 ? classes.length : 1;
  if (isClassifier && last !== (outputs > 1 ? 'softmax' : 'logistic')) throw fitted.damaged('with other outputs');
  return {
    kind: 'perceptron',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    layers: layersOf(fitted, outputs),
    hidden: fitted.oneOf('activation', HIDDEN),
    last,
  };
}

/** `classes_`, unless rows have several labels. */
function classesOf(fitted: Fitted): readonly ClassLabel[] {
  const kind = fitted.helper('_label_binarizer', [BINARIZER]).text('y_type_');
  if (kind.startsWith('multilabel')) throw fitted.unsupported('with several outputs: train one model per output');
  const classes = fitted.labels();
  if (classes.length < 2) throw fitted.damaged('of a single class');
  return classes;
}

function layersOf(fitted: Fitted, outputs: number): readonly Affine[] {
  const weights = fitted.list('coefs_');
  const biases = fitted.list('intercepts_');
  if (fitted.int('n_outputs_') !== outputs)
    throw fitted.unsupported('with several outputs: train one model per output');
  if (weights.length === 0 || weights.length !== biases.length || weights.length > 1000) {
    throw fitted.damaged('with layers that do not fit together');
  }
  let columns = fitted.columns;
  return weights.map((value, at) => {
    const bias = weightsOfArray(fitted, { value: biases[at], name: 'intercepts_' });
    const size = bias.length;
    if (at === weights.length - 1 && size !== outputs) throw fitted.damaged('with other outputs');
    const layer = weightsOfArray(fitted, { value, name: 'coefs_', shape: [columns, size] });
    const turned = transposed(layer, columns, size);
    columns = size;
    return { weights: turned, bias };
  });
}

/** Columns become rows. */
function transposed(numbers: Float64Array, rows: number, columns: number): Float64Array<ArrayBuffer> {
  const made = new Float64Array(numbers.length);
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < columns; at += 1) made[at * rows + row] = numbers[row * columns + at] ?? 0;
  }
  return made;
}
