// What a booster of XGBoost is to the thread that answers.
import type { Encoding } from './encodings.ts';
import type { PredictorPart } from './estimator.ts';
import type { Trees } from './trees.ts';
import type { Booster } from './xgboost-model.ts';
import type { XgboostLink } from './xgboost-objective.ts';

export interface XgboostPart extends PredictorPart {
  readonly kind: 'xgboost';
  readonly trees: Trees;
  /** What each column of the sum starts from. */
  readonly margins: Float64Array<ArrayBuffer>;
  readonly link: XgboostLink;
  /** Columns that hold categories. */
  readonly categorical: readonly number[];
  readonly encodings: readonly Encoding[];
  /** A number that stands for a missing value beside NaN. */
  readonly missing?: number;
}

const CLASS_NAMES = { classifier: 'XGBClassifier', regressor: 'XGBRegressor', ranker: 'XGBRanker' };

/** The part of a booster; its classes are numbered from 0 on. */
export function partOf(booster: Booster, missing: number): XgboostPart {
  const { objective, classes, trees, margins, categorical, encodings } = booster;
  return {
    kind: 'xgboost',
    modelType: CLASS_NAMES[objective.task],
    task: objective.task,
    classes: Array.from({ length: classes }, (_, label) => label),
    link: objective.link,
    trees,
    margins,
    categorical,
    encodings: encodings.encodings,
    ...(!Number.isNaN(missing) && { missing }),
  };
}
