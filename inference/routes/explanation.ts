// Explanations of answers, for every API: which models have them, how they are computed beside other requests, and how one row's is told.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HttpError } from '../errors.ts';
import type { Explainer } from '../estimators/explain.ts';
import type { Rows } from '../model/batches.ts';
import type { ClassLabel } from '../model/model-data.ts';
import type { ServedModel } from '../model/served.ts';

/** Why an answer is what it is: `expected_value` and all contributions add up to the explained number. */
export interface Explanation {
  /** The class whose probability or margin is explained; absent where there are none. */
  readonly class?: ClassLabel;
  /** What is explained: a probability, a margin (before it becomes a probability or a positive number), or the predicted value. */
  readonly output: Explainer['output'];
  readonly expected_value: number;
  /** By feature. */
  readonly contributions: Readonly<Record<string, number>>;
}

/** Most requests that wait for the explanations of others. */
const MAX_WAITING = 32;

/** Throws HttpError with this status where the model cannot be explained. */
export function explainerOf({ model }: ServedModel, status = 400): Explainer {
  if (model.explainer !== undefined) return model.explainer;
  throw new HttpError(
    status,
    `${model.modelType} cannot be explained: only trees, forests and boosted trees are, alone or behind scalers in a Pipeline`,
  );
}

interface Queue {
  waiting: number;
  last: Promise<unknown>;
}

const queues = new WeakMap<Explainer, Queue>();

/**
 * The contributions for all rows, row-major: for each row and feature one number an output. One request is computed at a time, some milliseconds at once.
 * Throws ModelInputError, HttpError 503 where too many wait already.
 */
export async function contributionsOf(explainer: Explainer, { values, count }: Rows): Promise<Float64Array> {
  const queue = queues.get(explainer) ?? { waiting: 0, last: Promise.resolve() };
  queues.set(explainer, queue);
  if (queue.waiting >= MAX_WAITING) throw new HttpError(503, 'Too many explanations are waiting: try again later');
  const explaining = explainer.begin(values, count);
  const compute = async () => {
    while (!explaining.advance()) await nextTurn();
    return explaining.values;
  };
  queue.waiting += 1;
  const found = queue.last.then(compute);
  queue.last = found.catch(() => undefined).finally(() => (queue.waiting -= 1));
  return found;
}

/**
 * What is told of one row. `contributions`: its numbers; `column`: the class that was answered, 0 for a model without classes; `labels`: the classes' names.
 */
export function explanationOf(
  served: ServedModel,
  contributions: Float64Array,
  column: number,
  labels: readonly ClassLabel[],
): Explanation {
  const { outputs, output, expected } = explainerOf(served);
  const { schema } = served;
  // one number stands for the second of two classes, whichever was answered
  const place = outputs > 1 ? column : 0;
  const label = outputs > 1 ? labels[column] : labels[1];
  const names = schema.features.length === schema.width ? schema.features : [];
  const byFeature = Array.from({ length: schema.width }, (_, feature) => {
    return [names[feature] ?? `x${feature}`, contributions[feature * outputs + place] ?? 0] as const;
  });
  return {
    ...(label !== undefined && { class: label }),
    output,
    expected_value: expected[place] ?? 0,
    contributions: Object.fromEntries(byFeature),
  };
}
