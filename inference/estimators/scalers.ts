// Scalers of scikit-learn: every column is shifted, stretched and cut off by itself. Missing values stay missing.
import { Tuple } from '../formats/pickle-value.ts';
import { checkNanInput, weightsOf } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** What happens to a column's number, in this order; a number for each column. */
export interface ScalerPart extends TransformerPart {
  readonly kind: 'scaler';
  readonly minus?: Numbers;
  readonly dividedBy?: Numbers;
  readonly times?: Numbers;
  readonly plus?: Numbers;
  /** Numbers below the first and above the second become these. */
  readonly clip?: readonly [number, number];
}

const NAMES = ['MaxAbsScaler', 'MinMaxScaler', 'RobustScaler', 'StandardScaler'];

export const scaler: Definition<ScalerPart> = {
  kind: 'scaler',
  names: NAMES.map((name) => `sklearn.preprocessing._data.${name}`),
  read: (fitted) => ({ kind: 'scaler', modelType: fitted.name, outputs: fitted.columns, ...stepsOf(fitted) }),
  compile: (part) => ({ transform: (input) => scaled(part, input), keepsColumns: true }),
};

function scaled({ minus, dividedBy, times, plus, clip }: ScalerPart, input: Matrix): Matrix {
  checkNanInput(input);
  const values = input.values.slice();
  if (minus) eachCell(values, minus, (cell, number) => cell - number);
  if (dividedBy) eachCell(values, dividedBy, (cell, number) => cell / number);
  if (times) eachCell(values, times, (cell, number) => cell * number);
  if (plus) eachCell(values, plus, (cell, number) => cell + number);
  if (clip) {
    const [low, high] = clip;
    for (let at = 0; at < values.length; at += 1) values[at] = Math.min(Math.max(values[at] ?? 0, low), high);
  }
  return { ...input, values };
}

function eachCell(values: Float64Array, numbers: Numbers, change: (cell: number, number: number) => number): void {
  const { length } = numbers;
  for (let at = 0; at < values.length; at += 1) values[at] = change(values[at] ?? 0, numbers[at % length] ?? 0);
}

function stepsOf(fitted: Fitted): Omit<ScalerPart, 'kind' | 'modelType' | 'outputs'> {
  const numbers = (name: string) => weightsOf(fitted, name, [fitted.columns]);
  const clips = fitted.has('clip') && fitted.flag('clip');
  switch (fitted.name) {
    case 'StandardScaler':
      return {
        ...(fitted.flag('with_mean') && { minus: numbers('mean_') }),
        ...(fitted.flag('with_std') && { dividedBy: divisors(fitted) }),
      };
    case 'RobustScaler':
      return {
        ...(fitted.flag('with_centering') && { minus: numbers('center_') }),
        ...(fitted.flag('with_scaling') && { dividedBy: divisors(fitted) }),
      };
    case 'MaxAbsScaler':
      return { dividedBy: divisors(fitted), ...(clips && { clip: [-1, 1] }) };
    default:
      return { times: numbers('scale_'), plus: numbers('min_'), ...(clips && { clip: rangeOf(fitted) }) };
  }
}

/** `scale_`, which training keeps from being 0. */
function divisors(fitted: Fitted): Numbers {
  const scale = weightsOf(fitted, 'scale_', [fitted.columns]);
  if (scale.includes(0)) throw fitted.damaged('that divides by 0');
  return scale;
}

function rangeOf(fitted: Fitted): readonly [number, number] {
  const range = fitted.value('feature_range');
  const [low, high] = range instanceof Tuple ? range.items : fitted.list('feature_range');
  if (typeof low === 'number' && typeof high === 'number' && low < high) return [low, high];
  throw fitted.damaged('without a range');
}
