// GridSearchCV and RandomizedSearchCV of scikit-learn: the best estimator that a search has found. How it searched is not read.
import type { Definition } from './estimator.ts';

const SPLITTERS = [
  ...['GroupKFold', 'GroupShuffleSplit', 'KFold', 'LeaveOneOut', 'PredefinedSplit', 'RepeatedKFold'],
  ...['RepeatedStratifiedKFold', 'ShuffleSplit', 'StratifiedGroupKFold', 'StratifiedKFold', 'StratifiedShuffleSplit'],
  'TimeSeriesSplit',
];
const SCORERS = [
  ...['_MultimetricScorer', '_PassthroughScorer', '_PredictScorer', '_ProbaScorer', '_Scorer', '_ThresholdScorer'],
  '_passthrough_scorer',
];
const METRICS: Readonly<Record<string, readonly string[]>> = {
  _classification: [
    ...[
      'accuracy_score',
      'balanced_accuracy_score',
      'brier_score_loss',
      'cohen_kappa_score',
      'f1_score',
      'fbeta_score',
    ],
    ...['jaccard_score', 'log_loss', 'matthews_corrcoef', 'precision_score', 'recall_score'],
  ],
  _ranking: ['average_precision_score', 'ndcg_score', 'roc_auc_score', 'top_k_accuracy_score'],
  _regression: [
    ...['d2_absolute_error_score', 'd2_pinball_score', 'd2_tweedie_score', 'explained_variance_score', 'max_error'],
    ...['mean_absolute_error', 'mean_absolute_percentage_error', 'mean_gamma_deviance', 'mean_pinball_loss'],
    ...['mean_poisson_deviance', 'mean_squared_error', 'mean_squared_log_error', 'mean_tweedie_deviance'],
    ...['median_absolute_error', 'r2_score', 'root_mean_squared_error', 'root_mean_squared_log_error'],
  ],
};
const DISTRIBUTIONS = ['beta', 'expon', 'gamma', 'loguniform', 'lognorm', 'norm', 'reciprocal', 'uniform'];

export const search: Definition = {
  kind: 'search',
  names: ['GridSearchCV', 'RandomizedSearchCV'].map((name) => `sklearn.model_selection._search.${name}`),
  inert: [
    ...SPLITTERS.map((name) => `sklearn.model_selection._split.${name}`),
    ...SCORERS.map((name) => `sklearn.metrics._scorer.${name}`),
    ...Object.entries(METRICS).flatMap(([file, names]) => names.map((name) => `sklearn.metrics.${file}.${name}`)),
    ...DISTRIBUTIONS.map((name) => `scipy.stats._continuous_distns.${name}_gen`),
    'scipy.stats._distn_infrastructure.rv_continuous_frozen',
    'sklearn.utils._metadata_requests.MetadataRequest',
    'sklearn.utils._metadata_requests.MethodMetadataRequest',
    // the table of results
    'numpy.ma.MaskedArray',
    'numpy.ma.core.MaskedArray',
    'numpy.ma.core._mareconstruct',
    // a source of chance that was given, by numpy 2
    'numpy.random.bit_generator.SeedSequence',
    'numpy.random.bit_generator.__pyx_unpickle_SeedSequence',
  ],
  takesText: true,
  firstOf: (fitted) => fitted.child(fitted.value('best_estimator_')),
  // the part of the estimator inside: there is none of this kind
  read: (fitted) => ({ ...fitted.part(fitted.value('best_estimator_')), modelType: fitted.name }),
  compile: ({ modelType }) => {
    throw new TypeError(`${modelType} is run by another definition`);
  },
};
