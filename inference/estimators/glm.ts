// Generalized linear models of scikit-learn: e to the power of a weighted sum, for counts and amounts.
import { type Affine, affine, checkFiniteInput, weightsOf } from './algebra.ts';
import type { Definition, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { LOSSES } from './losses.ts';

export interface GlmPart extends PredictorPart, Affine {
  readonly kind: 'glm';
  readonly link: 'log' | 'identity';
}

const MODULE = 'sklearn.linear_model._glm.glm';
const TWEEDIE = ['HalfTweedieLoss', 'HalfTweedieLossIdentity'];

export const glm: Definition<GlmPart> = {
  kind: 'glm',
  names: ['GammaRegressor', 'PoissonRegressor', 'TweedieRegressor'].map((name) => `${MODULE}.${name}`),
  inert: [
    ...LOSSES,
    ...TWEEDIE.flatMap((name) => [
      `sklearn._loss.loss.${name}`,
      `sklearn._loss._loss.Cy${name}`,
      `sklearn._loss._loss.__pyx_unpickle_Cy${name}`,
      `_loss.Cy${name}`,
      `_loss.__pyx_unpickle_Cy${name}`,
    ]),
  ],
  read: (fitted) => {
    const bias = fitted.number('intercept_');
    if (!(Math.abs(bias) <= 1e100)) throw fitted.damaged('whose intercept_ is no number');
    return {
      kind: 'glm',
      modelType: fitted.name,
      task: 'regressor',
      classes: [],
      weights: weightsOf(fitted, 'coef_', [fitted.columns]),
      bias: Float64Array.of(bias),
      link: linkOf(fitted),
    };
  },
  compile: (part) => ({
    predict: (input) => {
      checkFiniteInput(input);
      const sums = affine(input, part);
      return part.link === 'log' ? sums.map(Math.exp) : sums;
    },
  }),
};

/** Only Tweedie has a choice: by itself the logarithm for powers above 0. */
function linkOf(fitted: Fitted): GlmPart['link'] {
  if (fitted.name !== 'TweedieRegressor') return 'log';
  const link = fitted.oneOf('link', ['auto', 'log', 'identity']);
  if (link !== 'auto') return link;
  return fitted.number('power') <= 0 ? 'identity' : 'log';
}
