// PCA and TruncatedSVD of scikit-learn: rows projected on directions.
import { type Affine, affine, checkFiniteInput, weightsOf } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

type Numbers = Float64Array<ArrayBuffer>;

export interface ProjectionPart extends TransformerPart {
  readonly kind: 'projection';
  /** Taken off before the projection. */
  readonly minus?: Numbers;
  readonly map: Affine;
  /** What each component is divided by. */
  readonly dividedBy?: Numbers;
}

/** Smallest spread that whitening divides by, from scikit-learn 1.5 on. */
const EPSILON = 2 ** -52;

export const projection: Definition<ProjectionPart> = {
  kind: 'projection',
  names: ['sklearn.decomposition._pca.PCA', 'sklearn.decomposition._truncated_svd.TruncatedSVD'],
  read: (fitted) => (fitted.name === 'PCA' ? readPca(fitted) : readSvd(fitted)),
  compile: (part) => ({ transform: (input) => projected(part, input) }),
};

function projected({ minus, map, dividedBy, outputs }: ProjectionPart, input: Matrix): Matrix {
  checkFiniteInput(input);
  const { rows, columns } = input;
  const centered = minus ? input.values.map((cell, at) => cell - (minus[at % columns] ?? 0)) : input.values;
  const values = affine({ values: centered, rows, columns }, map);
  if (dividedBy) {
    for (let at = 0; at < values.length; at += 1) values[at] = (values[at] ?? 0) / (dividedBy[at % outputs] ?? 1);
  }
  return { values, rows, columns: outputs };
}

function componentsOf(fitted: Fitted): { outputs: number; weights: Numbers } {
  const [outputs = 0] = fitted.array('components_').shape;
  if (outputs < 1) throw fitted.damaged('without components');
  return { outputs, weights: weightsOf(fitted, 'components_', [outputs, fitted.columns]) };
}

function readSvd(fitted: Fitted): ProjectionPart {
  const { outputs, weights } = componentsOf(fitted);
  return { kind: 'projection', modelType: fitted.name, outputs, map: { weights, bias: new Float64Array(outputs) } };
}

/** The mean is taken off after the projection from scikit-learn 1.5 on, before it until then: the last bits of the answers tell. */
function readPca(fitted: Fitted): ProjectionPart {
  const { outputs, weights } = componentsOf(fitted);
  const mean = fitted.isSet('mean_') ? weightsOf(fitted, 'mean_', [fitted.columns]) : new Float64Array(fitted.columns);
  const isNew = fitted.isFrom(1, 5);
  const none = new Float64Array(outputs);
  const offset = affine({ values: mean, rows: 1, columns: fitted.columns }, { weights, bias: none });
  return {
    kind: 'projection',
    modelType: fitted.name,
    outputs,
    ...(!isNew && { minus: mean }),
    map: { weights, bias: isNew ? offset.map((value) => -value) : none },
    ...(fitted.flag('whiten') && { dividedBy: spreadsOf(fitted, outputs, isNew) }),
  };
}

function spreadsOf(fitted: Fitted, outputs: number, isNew: boolean): Numbers {
  const spreads = weightsOf(fitted, 'explained_variance_', [outputs]).map((variance) =>
    isNew ? Math.max(Math.sqrt(variance), EPSILON) : Math.sqrt(variance),
  );
  if (spreads.every((spread) => spread > 0)) return spreads;
  throw fitted.damaged('whose components have no variance');
}
