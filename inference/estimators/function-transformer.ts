// FunctionTransformer of scikit-learn, for functions of numpy that are known by name. Nothing is called: the name chooses one of ours.
import { Global, described } from '../formats/pickle-value.ts';
import { checkFiniteInput } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';

export interface FunctionPart extends TransformerPart {
  readonly kind: 'function';
  /** Of a function of numpy; absent: cells stay as they are. */
  readonly name?: string;
  /** Whether scikit-learn checks for NaN and infinity. */
  readonly validate: boolean;
}

const FUNCTIONS: ReadonlyMap<string, (cell: number) => number> = new Map<string, (cell: number) => number>([
  ['log1p', Math.log1p],
  ['expm1', Math.expm1],
  ['log', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['exp', Math.exp],
  ['sqrt', Math.sqrt],
  ['cbrt', Math.cbrt],
  ['square', (cell) => cell * cell],
  ['absolute', Math.abs],
  ['sign', Math.sign],
  ['reciprocal', (cell) => 1 / cell],
  ['negative', (cell) => -cell],
  ['sin', Math.sin],
  ['cos', Math.cos],
  ['tanh', Math.tanh],
]);
/** Where pickle finds the functions of numpy 1 and 2. */
const MODULES = ['numpy', 'numpy.core._multiarray_umath', 'numpy._core._multiarray_umath', 'numpy.core.umath'];

export const functionTransformer: Definition<FunctionPart> = {
  kind: 'function',
  names: ['sklearn.preprocessing._function_transformer.FunctionTransformer'],
  inert: MODULES.flatMap((module) => [...FUNCTIONS.keys()].map((name) => `${module}.${name}`)),
  takesText: true,
  read: readFunction,
  compile: ({ name, validate }) => {
    const apply = name === undefined ? undefined : FUNCTIONS.get(name);
    return {
      transform: (input) => {
        if (validate) checkFiniteInput(input);
        return apply === undefined ? input : { ...input, values: input.values.map((cell) => apply(cell)) };
      },
    };
  },
};

function readFunction(fitted: Fitted): FunctionPart {
  const name = nameOfFunction(fitted, 'func', 'kw_args');
  const validate = fitted.flag('validate');
  const base = { kind: 'function', modelType: fitted.name, outputs: fitted.columns, validate } as const;
  if (name !== undefined || validate) fitted.reading.asNumbers(fitted.origins);
  return name === undefined ? { ...base, origins: fitted.origins } : { ...base, name };
}

/** The function of numpy that an attribute names, undefined for None. Throws ModelError for all others. */
export function nameOfFunction(fitted: Fitted, attribute: string, settings: string): string | undefined {
  const value = fitted.value(attribute);
  if (value === null) return undefined;
  const name = value instanceof Global ? value.path.slice(value.path.lastIndexOf('.') + 1) : '';
  const options = fitted.value(settings);
  if (FUNCTIONS.has(name) && !(options instanceof Map && options.size > 0)) return name;
  const known = [...FUNCTIONS.keys()].join(', ');
  throw fitted.unsupported(
    `of ${described(value)} is not supported, but None and ${known} of numpy without ${settings} are`,
  );
}

/** One of the functions that `nameOfFunction` knows. */
export function functionNamed(name: string): ((cell: number) => number) | undefined {
  return FUNCTIONS.get(name);
}
