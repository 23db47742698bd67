// PowerTransformer of scikit-learn: columns are bent until they look like a bell curve.
import { ModelInputError } from '../model/errors.ts';
import { checkNanInput, weightsOf } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

const METHODS = ['yeo-johnson', 'box-cox'] as const;

export interface PowerPart extends TransformerPart {
  readonly kind: 'power';
  readonly method: (typeof METHODS)[number];
  /** One for each column. */
  readonly lambdas: Float64Array<ArrayBuffer>;
  /** Brings them to mean 0 and deviation 1. */
  readonly scaler?: TransformerPart;
}

/** Nearer numbers are taken for equal. */
const EPSILON = 2 ** -52;

export const power: Definition<PowerPart> = {
  kind: 'power',
  names: ['sklearn.preprocessing._data.PowerTransformer'],
  read: readPower,
  compile: (part, compile) => {
    const { scaler } = part;
    const scale = scaler && compile(scaler);
    return {
      transform: (input) => {
        const made = bent(part, input);
        return scale === undefined ? made : scale.transform(made);
      },
    };
  },
};

function bent({ method, lambdas }: PowerPart, input: Matrix): Matrix {
  checkNanInput(input);
  const { columns } = input;
  if (method === 'box-cox' && input.values.some((cell) => cell <= 0)) {
    throw new ModelInputError('The Box-Cox transformation can only be applied to strictly positive data');
  }
  const bend = method === 'box-cox' ? boxCox : yeoJohnson;
  return { ...input, values: input.values.map((cell, at) => bend(cell, lambdas[at % columns] ?? 1)) };
}

function boxCox(cell: number, lambda: number): number {
  return lambda === 0 ? Math.log(cell) : Math.expm1(lambda * Math.log(cell)) / lambda;
}

function yeoJohnson(cell: number, lambda: number): number {
  if (cell >= 0) return Math.abs(lambda) < EPSILON ? Math.log1p(cell) : (Math.pow(cell + 1, lambda) - 1) / lambda;
  const rest = 2 - lambda;
  return Math.abs(rest) > EPSILON ? -(Math.pow(1 - cell, rest) - 1) / rest : -Math.log1p(-cell);
}

function readPower(fitted: Fitted): PowerPart {
  return {
    kind: 'power',
    modelType: fitted.name,
    outputs: fitted.columns,
    method: fitted.oneOf('method', METHODS),
    lambdas: weightsOf(fitted, 'lambdas_', [fitted.columns]),
    ...(fitted.flag('standardize') && { scaler: scalerOf(fitted) }),
  };
}

function scalerOf(fitted: Fitted): TransformerPart {
  const scaler = fitted.transformer(fitted.value('_scaler'));
  if (scaler.outputs === fitted.columns) return scaler;
  throw fitted.damaged('with a scaler of other columns');
}
