// KBinsDiscretizer of scikit-learn: a number becomes the place of its bin.
import { arrayOf } from '../formats/numpy.ts';
import { checkFiniteInput, weightsOfArray } from './algebra.ts';
import { checkDtype } from './categories.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

export interface BinsPart extends TransformerPart {
  readonly kind: 'bins';
  /** For each column the edges between its bins, rising. */
  readonly edges: readonly Float64Array<ArrayBuffer>[];
  /** Makes a column of each bin. */
  readonly encoder?: TransformerPart;
}

export const bins: Definition<BinsPart> = {
  kind: 'bins',
  names: ['sklearn.preprocessing._discretization.KBinsDiscretizer'],
  read: readBins,
  compile: ({ edges, encoder }, compile) => {
    const encode = encoder && compile(encoder);
    return {
      transform: (input) => {
        const made = placed(edges, input);
        return encode === undefined ? made : encode.transform(made);
      },
    };
  },
};

function placed(edges: readonly Float64Array[], input: Matrix): Matrix {
  checkFiniteInput(input);
  const { columns } = input;
  return { ...input, values: input.values.map((cell, at) => notAbove(edges[at % columns], cell)) };
}

/** Number of edges that are not above a cell. */
function notAbove(edges: Float64Array = new Float64Array(), cell: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? 0) <= cell) low = middle + 1;
    else high = middle;
  }
  return low;
}

function readBins(fitted: Fitted): BinsPart {
  if (fitted.isSet('dtype')) checkDtype(fitted);
  const edges = edgesOf(fitted);
  const base = { kind: 'bins', modelType: fitted.name, edges } as const;
  if (fitted.oneOf('encode', ['onehot', 'onehot-dense', 'ordinal']) === 'ordinal') {
    return { ...base, outputs: fitted.columns };
  }
  const computed = fitted.origins.map(() => -1);
  const encoder = fitted.transformer(fitted.value('_encoder'), computed);
  return { ...base, outputs: encoder.outputs, encoder };
}

/** `bin_edges_` without the first and the last, beyond which numbers go into the outer bins. */
function edgesOf(fitted: Fitted): readonly Float64Array<ArrayBuffer>[] {
  const { data } = arrayOf(fitted.value('bin_edges_'));
  if (data instanceof Uint8Array || data.length !== fitted.columns) throw fitted.damaged('with bins of other columns');
  return data.map((value) => {
    const edges = weightsOfArray(fitted, { value, name: 'bin_edges_' }).slice(1, -1);
    if (edges.some((edge, at) => edge < (edges[at - 1] ?? edge))) throw fitted.damaged('whose bins do not rise');
    return edges;
  });
}
