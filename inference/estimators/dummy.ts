// DummyClassifier and DummyRegressor: the same answer to every row. They are what gradient boosting starts from.
import type { ClassLabel } from '../model/model-data.ts';
import type { Definition, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, indexOfMax, repeatedRow } from './matrix.ts';

export interface DummyPart extends PredictorPart {
  readonly kind: 'dummy';
  /** Probability of each class, or the one number of a regressor. */
  readonly answer: Float64Array<ArrayBuffer>;
}

export const dummy: Definition<DummyPart> = {
  kind: 'dummy',
  names: ['sklearn.dummy.DummyClassifier', 'sklearn.dummy.DummyRegressor'],
  read: (fitted) => (fitted.name === 'DummyClassifier' ? readClassifier(fitted) : readRegressor(fitted)),
  compile: ({ task, answer }) => {
    const repeated = ({ rows }: Matrix) => repeatedRow(answer, rows);
    if (task !== 'classifier') return { predict: repeated };
    const label = indexOfMax(answer);
    return { predict: ({ rows }) => new Float64Array(rows).fill(label), predictProba: repeated };
  },
};

function readClassifier(fitted: Fitted): DummyPart {
  if (fitted.int('n_outputs_') !== 1) throw fitted.unsupported('with several outputs: train one model per output');
  const classes = fitted.labels();
  return { kind: 'dummy', modelType: fitted.name, task: 'classifier', classes, answer: answerOf(fitted, classes) };
}

function answerOf(fitted: Fitted, classes: DummyPart['classes']): Float64Array<ArrayBuffer> {
  const strategy = fitted.oneOf('_strategy', ['prior', 'most_frequent', 'constant']);
  const prior = fitted.floats('class_prior_', [classes.length]);
  if (strategy === 'prior') return prior;
  const chosen = strategy === 'constant' ? classes.indexOf(constantOf(fitted)) : indexOfMax(prior);
  if (chosen < 0) throw fitted.damaged('with a constant that is not one of its classes');
  return new Float64Array(classes.length).fill(1, chosen, chosen + 1);
}

function constantOf(fitted: Fitted): ClassLabel {
  const constant = fitted.value('constant');
  return typeof constant === 'string' ? constant : fitted.number('constant');
}

function readRegressor(fitted: Fitted): DummyPart {
  if (fitted.int('n_outputs_') !== 1) throw fitted.unsupported('with several outputs: train one model per output');
  const answer = fitted.floats('constant_', [1, 1]);
  return { kind: 'dummy', modelType: fitted.name, task: 'regressor', classes: [], answer };
}
