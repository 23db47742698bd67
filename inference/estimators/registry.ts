// Every estimator that is read and run here.
import type { Compile, Definition, Operator, Part, Predictor } from './estimator.ts';
import { isPredictorPart } from './estimator.ts';
import { dummy } from './dummy.ts';
import { forest } from './forest.ts';
import { gradientBoosting } from './gradient-boosting.ts';
import { histGradientBoosting } from './hist-gradient-boosting.ts';
import { linear } from './linear.ts';
import { binarizer, normalizer } from './normalizer.ts';
import { columnTransformer } from './column-transformer.ts';
import { oneHot, ordinal } from './encoders.ts';
import { functionTransformer } from './function-transformer.ts';
import { imputer } from './imputer.ts';
import { pipeline } from './pipeline.ts';
import { polynomial } from './polynomial.ts';
import { projection } from './projection.ts';
import { scaler } from './scalers.ts';
import { selector } from './selector.ts';
import { lightgbm } from './lightgbm.ts';
import { xgboost } from './xgboost.ts';
import { calibrated } from './calibrated.ts';
import { voting } from './voting.ts';
import { stacking } from './stacking.ts';
import { frozen } from './frozen.ts';
import { naiveBayes } from './naive-bayes.ts';
import { perceptron } from './perceptron.ts';
import { kmeans } from './kmeans.ts';
import { isolationForest } from './isolation-forest.ts';
import { power } from './power.ts';
import { bins } from './bins.ts';
import { targetEncoder } from './target-encoder.ts';
import { glm } from './glm.ts';
import { transformedTarget } from './transformed-target.ts';
import { search } from './search.ts';

const DEFINITIONS: readonly Definition[] = [
  linear,
  pipeline,
  frozen,
  stacking,
  voting,
  calibrated,
  columnTransformer,
  scaler,
  normalizer,
  binarizer,
  imputer,
  oneHot,
  ordinal,
  polynomial,
  projection,
  selector,
  functionTransformer,
  search,
  transformedTarget,
  glm,
  targetEncoder,
  bins,
  power,
  isolationForest,
  kmeans,
  perceptron,
  naiveBayes,
  forest,
  gradientBoosting,
  histGradientBoosting,
  dummy,
  xgboost,
  lightgbm,
];

/** Definitions by the dotted name of each class that they read. */
export const definitions: ReadonlyMap<string, Definition> = new Map(
  DEFINITIONS.flatMap((definition) => definition.names.map((name) => [name, definition] as const)),
);

/** Names that may stand in a file beside numpy's. */
export const allowedNames: ReadonlySet<string> = new Set(
  DEFINITIONS.flatMap(({ names, inert = [] }) => [...names, ...inert]),
);

const BY_KIND = new Map(DEFINITIONS.map((definition) => [definition.kind, definition]));

/** Makes the operator of a part. */
export const compile: Compile = <P extends Part>(part: P) => {
  const operator: Operator | undefined = BY_KIND.get(part.kind)?.compile(part, compile);
  if (operator === undefined || 'predict' in operator !== isPredictorPart(part)) {
    throw new TypeError(`no definition runs parts of kind ${part.kind}`);
  }
  // the type depends on the value that was just checked
  return operator as ReturnType<typeof compile<P>>;
};

/** The operator of the part that answers. */
export function compilePredictor(part: Part): Predictor {
  if (!isPredictorPart(part)) throw new TypeError(`${part.modelType} does not predict`);
  return compile(part);
}
