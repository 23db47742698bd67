// KMeans and MiniBatchKMeans of scikit-learn: a row belongs to the nearest center.
import { checkFiniteInput, weightsOf } from './algebra.ts';
import type { Definition, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

export interface KMeansPart extends PredictorPart {
  readonly kind: 'kmeans';
  /** One row for each cluster. */
  readonly centers: Float64Array<ArrayBuffer>;
}

export const kmeans: Definition<KMeansPart> = {
  kind: 'kmeans',
  names: ['sklearn.cluster._kmeans.KMeans', 'sklearn.cluster._kmeans.MiniBatchKMeans'],
  read: (fitted) => ({
    kind: 'kmeans',
    modelType: fitted.name,
    task: 'clusterer',
    classes: [],
    centers: centersOf(fitted),
  }),
  compile: ({ centers }) => ({ predict: (input) => nearest(centers, input) }),
};

function centersOf(fitted: Fitted): Float64Array<ArrayBuffer> {
  const [count = 0] = fitted.array('cluster_centers_').shape;
  if (count < 1) throw fitted.damaged('without centers');
  return weightsOf(fitted, 'cluster_centers_', [count, fitted.columns]);
}

/** The first of the nearest centers, by the square of the distance. */
function nearest(centers: Float64Array, input: Matrix): Float64Array {
  checkFiniteInput(input);
  const { values, rows, columns } = input;
  return Float64Array.from({ length: rows }, (_, row) => {
    let best = 0;
    let least = Infinity;
    for (let start = 0; start < centers.length; start += columns) {
      let distance = 0;
      for (let at = 0; at < columns; at += 1) {
        const difference = (values[row * columns + at] ?? 0) - (centers[start + at] ?? 0);
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        best = start / columns;
      }
    }
    return best;
  });
}
