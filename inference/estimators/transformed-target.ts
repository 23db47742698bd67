// TransformedTargetRegressor of scikit-learn: a regressor that was trained on, say, logarithms, whose answers are turned back.
import type { Definition, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { functionNamed, nameOfFunction } from './function-transformer.ts';

export interface TransformedTargetPart extends PredictorPart {
  readonly kind: 'transformed-target';
  readonly regressor: PredictorPart;
  /** Function of numpy that turns answers back; absent: they stay as they are. */
  readonly inverse?: string;
}

const FUNCTIONS = ['sklearn.preprocessing._function_transformer.FunctionTransformer'];

export const transformedTarget: Definition<TransformedTargetPart> = {
  kind: 'transformed-target',
  names: ['sklearn.compose._target.TransformedTargetRegressor'],
  takesText: true,
  firstOf: (fitted) => fitted.child(fitted.value('regressor_')),
  read: readTransformedTarget,
  compile: ({ regressor, inverse }, compile) => {
    const { predict } = compile(regressor);
    const turn = inverse === undefined ? undefined : functionNamed(inverse);
    return { predict: turn === undefined ? predict : (input) => predict(input).map((answer) => turn(answer)) };
  },
};

function readTransformedTarget(fitted: Fitted): TransformedTargetPart {
  const regressor = fitted.predictor(fitted.value('regressor_'));
  if (regressor.task === 'classifier') throw fitted.damaged('around a classifier');
  // the other transformers, such as scalers, know of no way back here
  const transformer = fitted.helper('transformer_', FUNCTIONS);
  const inverse = nameOfFunction(transformer, 'inverse_func', 'inv_kw_args');
  return {
    kind: 'transformed-target',
    modelType: fitted.name,
    task: regressor.task,
    classes: [],
    regressor,
    ...(inverse !== undefined && { inverse }),
  };
}
