// What a booster of LightGBM is to the thread that answers.
import type { Encoding } from './encodings.ts';
import type { PredictorPart } from './estimator.ts';
import type { LightgbmBooster } from './lightgbm-model.ts';
import type { LightgbmObjective } from './lightgbm-objective.ts';
import type { Trees } from './trees.ts';

export interface LightgbmPart extends PredictorPart {
  readonly kind: 'lightgbm';
  readonly trees: Trees;
  readonly objective: LightgbmObjective;
  readonly divisor: number;
  readonly zeroIsMissing: readonly number[];
  readonly encodings: readonly Encoding[];
}

const CLASS_NAMES = { classifier: 'LGBMClassifier', regressor: 'LGBMRegressor', ranker: 'LGBMRanker' };

/** The part of a booster; its classes are numbered from 0 on. */
export function partOf(booster: LightgbmBooster): LightgbmPart {
  const { objective, classes, trees, divisor, zeroIsMissing, encodings } = booster;
  return {
    kind: 'lightgbm',
    modelType: CLASS_NAMES[objective.task],
    task: objective.task,
    classes: Array.from({ length: classes }, (_, label) => label),
    objective,
    trees,
    divisor,
    zeroIsMissing,
    encodings,
  };
}
