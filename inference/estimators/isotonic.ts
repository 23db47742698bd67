// Lines between known points, as IsotonicRegression of scikit-learn answers.
import { weightsOf } from './algebra.ts';
import type { Fitted } from './fitted.ts';

export interface Steps {
  readonly x: Float64Array<ArrayBuffer>;
  readonly y: Float64Array<ArrayBuffer>;
}

/** Points of an IsotonicRegression that was fitted to shares. Throws ModelError unless they go from left to right, between 0 and 1. */
export function stepsOf(fitted: Fitted): Steps {
  const { shape, dtype } = fitted.array('X_thresholds_');
  const [count = 0] = shape;
  if (dtype.itemSize !== 8) throw fitted.unsupported('was fitted on numbers of 32 bits: fit it on float64');
  const x = weightsOf(fitted, 'X_thresholds_', [count]);
  const y = fitted.floats('y_thresholds_', [count]);
  const rises = x.every((value, at) => at === 0 || value > (x[at - 1] ?? NaN));
  const shares = y.every((value) => value >= 0 && value <= 1);
  if (count > 0 && rises && shares && fitted.text('out_of_bounds') === 'clip') return { x, y };
  throw fitted.damaged('whose points do not go from left to right between 0 and 1');
}

/** numpy.interp: beyond the ends the value of the end. */
export function interpolated({ x, y }: Steps, value: number): number {
  const at = (numbers: Float64Array, place: number) => numbers[place] ?? NaN;
  const last = x.length - 1;
  if (value >= at(x, last)) return at(y, last);
  if (!(value > at(x, 0))) return at(y, 0);
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (at(x, middle) <= value) low = middle;
    else high = middle;
  }
  const [from, to] = [at(y, low), at(y, high)];
  const share = (value - at(x, low)) / (at(x, high) - at(x, low));
  // between points that touch, the quotient may be beyond both
  return share >= 1 ? to : (to - from) * share + from;
}
