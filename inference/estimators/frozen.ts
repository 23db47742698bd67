// FrozenEstimator of scikit-learn: the estimator inside, which nothing trains again.
import type { Definition } from './estimator.ts';

export const frozen: Definition = {
  kind: 'frozen',
  names: ['sklearn.frozen._frozen.FrozenEstimator'],
  takesText: true,
  firstOf: (fitted) => fitted.child(fitted.value('estimator')),
  // the part of the estimator inside: there is none of this kind
  read: (fitted) => ({ ...fitted.part(fitted.value('estimator')), modelType: fitted.name }),
  compile: ({ modelType }) => {
    throw new TypeError(`${modelType} is run by another definition`);
  },
};
