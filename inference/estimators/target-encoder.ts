// TargetEncoder of scikit-learn: a category becomes the mean of what was to be predicted for it, for each class where there are more than two.
import { elementOf } from '../formats/numpy.ts';
import { Instance } from '../formats/pickle-value.ts';
import { weightsOf, weightsOfArray } from './algebra.ts';
import { type Lookup, UNKNOWN, answerTo, categoriesOf, lookupOf } from './categories.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, checkNumbers } from './matrix.ts';

export interface TargetEncoderPart extends TransformerPart {
  readonly kind: 'target-encoder';
  /** For each column: the place of a category among its encodings. */
  readonly lookups: readonly Lookup[];
  /** For each column and class: the number for each category, and last that for unknown ones. */
  readonly encodings: readonly Float64Array<ArrayBuffer>[];
}

export const targetEncoder: Definition<TargetEncoderPart> = {
  kind: 'target-encoder',
  names: ['sklearn.preprocessing._target_encoder.TargetEncoder'],
  takesText: true,
  read: readTargetEncoder,
  compile: (part) => ({ transform: (input) => encoded(part, input) }),
};

function encoded({ lookups, encodings, outputs }: TargetEncoderPart, { values, rows, columns }: Matrix): Matrix {
  checkNumbers(values, { missing: true, dtype: 'float64' });
  const width = outputs / columns;
  const made = new Float64Array(rows * outputs);
  for (let at = 0; at < values.length; at += 1) {
    const column = at % columns;
    const lookup = lookups[column];
    const place = lookup === undefined ? UNKNOWN : answerTo(lookup, values[at] ?? 0);
    for (let label = 0; label < width; label += 1) {
      const numbers = encodings[column * width + label];
      const last = (numbers?.length ?? 1) - 1;
      made[at * width + label] = numbers?.[place === UNKNOWN ? last : place] ?? 0;
    }
  }
  return { values: made, rows, columns: outputs };
}

function readTargetEncoder(fitted: Fitted): TargetEncoderPart {
  const categories = categoriesOf(fitted);
  const width =
    fitted.oneOf('target_type_', ['binary', 'continuous', 'multiclass']) === 'multiclass' ? fitted.labels().length : 1;
  const means = meansOf(fitted, width);
  const arrays = fitted.list('encodings_');
  if (arrays.length !== fitted.columns * width) throw fitted.damaged('with encodings of other columns');
  const encodings = arrays.map((value, at) => {
    const known = categories[Math.floor(at / width)]?.length ?? 0;
    const numbers = weightsOfArray(fitted, { value, name: 'encodings_', shape: [known] });
    return Float64Array.from([...numbers, means[at % width] ?? 0]);
  });
  return {
    kind: 'target-encoder',
    modelType: fitted.name,
    outputs: fitted.columns * width,
    lookups: categories.map((known, column) => lookupOf(fitted, column, known, (place) => place)),
    encodings,
  };
}

/** What an unknown category becomes: for each class. */
function meansOf(fitted: Fitted, width: number): Float64Array {
  const value = fitted.value('target_mean_');
  const isNumber = typeof value === 'number' || (value instanceof Instance && value.callable.role === 'scalar');
  if (!isNumber) return weightsOf(fitted, 'target_mean_', [width]);
  return fitted.finite(Float64Array.of(Number(elementOf(value))), 'target_mean_');
}
