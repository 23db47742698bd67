// Pipeline of scikit-learn: what a step makes is the input of the next. It predicts when its last step does, else it is a transformer itself.
import type { Value } from '../formats/pickle-value.ts';
import {
  type Definition,
  type Operator,
  type Part,
  type PredictorPart,
  type TransformerPart,
  isPredictorPart,
} from './estimator.ts';
import type { Compile, Predictor, Transformer } from './estimator.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import type { Matrix } from './matrix.ts';

interface Steps {
  readonly kind: 'pipeline';
  readonly steps: readonly TransformerPart[];
}

interface PredictingPart extends PredictorPart, Steps {
  readonly kind: 'pipeline';
  readonly last: PredictorPart;
}

interface TransformingPart extends TransformerPart, Steps {
  readonly kind: 'pipeline';
}

export type PipelinePart = PredictingPart | TransformingPart;

const PASSTHROUGH = 'passthrough';

export const pipeline: Definition<PipelinePart> = {
  kind: 'pipeline',
  names: ['sklearn.pipeline.Pipeline'],
  takesText: true,
  firstOf: (fitted) => {
    const [first] = stepsOf(fitted);
    if (first === undefined) throw fitted.unsupported('has no steps');
    return fitted.child(first);
  },
  read: readPipeline,
  compile: compilePipeline,
};

/** The estimators of the steps; those that pass everything through are left out. */
function stepsOf(fitted: Fitted): readonly Value[] {
  const steps = fitted.list('steps').map((step) => itemsOf(step, `a step of ${fitted.name}`)[1] ?? null);
  return steps.filter((step) => step !== null && step !== PASSTHROUGH);
}

function readPipeline(fitted: Fitted): PipelinePart {
  const steps: TransformerPart[] = [];
  let { origins } = fitted;
  for (const [at, value] of stepsOf(fitted).entries()) {
    const part: Part = fitted.part(value, origins);
    if (isPredictorPart(part)) return predicting(fitted, steps, part, at);
    steps.push(part);
    origins = part.origins ?? Array.from({ length: part.outputs }, () => -1);
  }
  return { kind: 'pipeline', modelType: fitted.name, outputs: origins.length, origins, steps };
}

function predicting(
  fitted: Fitted,
  steps: readonly TransformerPart[],
  last: PredictorPart,
  at: number,
): PredictingPart {
  const after = stepsOf(fitted).length - at - 1;
  if (after > 0) throw fitted.unsupported(`has a ${last.modelType} before its last step, which is not supported there`);
  const { task, classes } = last;
  return { kind: 'pipeline', modelType: fitted.name, task, classes, steps, last };
}

function compilePipeline(part: PipelinePart, compile: Compile): Operator {
  const steps = part.steps.map((step): Transformer => compile(step));
  const transform = chained(steps);
  const keepsColumns = steps.every((step) => step.keepsColumns === true);
  if (!('last' in part)) return { transform, ...(keepsColumns && { keepsColumns }) };
  const { predict, predictProba, decisionFunction, treeSum }: Predictor = compile(part.last);
  return {
    predict: (input) => predict(transform(input)),
    ...(predictProba && { predictProba: (input) => predictProba(transform(input)) }),
    ...(decisionFunction && { decisionFunction: (input) => decisionFunction(transform(input)) }),
    ...(treeSum &&
      keepsColumns && { treeSum: { ...treeSum, inputOf: (input: Matrix) => treeSum.inputOf(transform(input)) } }),
  };
}

function chained(steps: readonly Transformer[]): (input: Matrix) => Matrix {
  return (input) => steps.reduce((matrix, step) => step.transform(matrix), input);
}
