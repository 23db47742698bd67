// Which class an answer names, and how: the labels and thresholds of metadata.json fitted to the classes of the model. Pure.
import * as z from 'zod';
import { LoadError } from '../load-error.ts';
import { indexOfMax } from '../estimators/matrix.ts';
import type { ClassLabel } from './model-data.ts';
import type { Model } from './model.ts';

const Name = z.union([z.string().max(1024), z.number(), z.boolean()], 'a label is a text, a number, true or false');
const Probability = z.number().min(0).max(1);

/** Names of the classes: all of them in the model's order, or some by their class. */
export const Labels = z.union(
  [z.array(Name).max(100_000), z.record(z.string(), Name).transform((labels) => new Map(Object.entries(labels)))],
  'must be a list of texts, numbers, true or false in the order of the classes, or an object of class → label',
);

/** Of the second of two classes, or of each class by its label. */
export const Thresholds = z.union(
  [Probability, z.record(z.string(), Probability).transform((thresholds) => new Map(Object.entries(thresholds)))],
  'must be a number from 0 to 1, or an object of label → such a number',
);

export interface Decision {
  /** The classes as answers name them, in the model's order. */
  readonly labels: readonly ClassLabel[];
  /** The same in JSON: as a value, and as the key of a member. */
  readonly json: readonly { readonly value: string; readonly key: string }[];
  /** The column that the probabilities of one row decide for. */
  readonly choose: (probabilities: Float64Array) => number;
}

interface Declared {
  readonly preprocessing: unknown;
  readonly labels?: z.infer<typeof Labels> | undefined;
  readonly thresholds?: z.infer<typeof Thresholds> | undefined;
}
type Classes = Pick<Model, 'classes' | 'modelType' | 'predictProba'>;

/** Throws LoadError ArtifactInvalid that names the field. */
export function compileDecision({ labels: given = [], thresholds, preprocessing }: Declared, model: Classes): Decision {
  const labels = given instanceof Map ? labelMap(given, model) : labelList(given, model);
  const known = new Set<string>();
  for (const label of labels.map(String)) {
    if (known.has(label)) throw invalid('labels', `two classes are called ${JSON.stringify(label.slice(0, 80))}`);
    known.add(label);
  }
  const json = labels.map((label) => ({ value: JSON.stringify(label), key: `${JSON.stringify(String(label))}:` }));
  if (thresholds === undefined) return { labels, json, choose: (probabilities) => indexOfMax(probabilities) };
  if (preprocessing === 'basket') {
    throw invalid('thresholds', 'a basket is answered as by the Python service: write `preprocessing` expressions');
  }
  if (model.predictProba === undefined) throw invalid('thresholds', `${model.modelType} gives no probabilities`);
  return { labels, json, choose: chooser(thresholdList(thresholds, labels, model)) };
}

function labelList(given: readonly ClassLabel[], { classes, modelType }: Classes): readonly ClassLabel[] {
  if (given.length === 0) return classes;
  if (given.length === classes.length) return given;
  throw invalid('labels', `there are ${given.length}, ${modelType} has ${classes.length} classes`);
}

function labelMap(given: ReadonlyMap<string, ClassLabel>, { classes, modelType }: Classes): readonly ClassLabel[] {
  const unknown = firstUnknown(given, classes);
  if (unknown === undefined) return classes.map((label) => given.get(String(label)) ?? label);
  throw invalid(`labels.${unknown}`, `${modelType} has the classes ${listed(classes)}`);
}

function thresholdList(
  given: number | ReadonlyMap<string, number>,
  labels: readonly ClassLabel[],
  { classes }: Classes,
): readonly (number | undefined)[] {
  if (typeof given !== 'number') {
    const unknown = firstUnknown(given, labels);
    if (unknown === undefined) return labels.map((label) => given.get(String(label)));
    throw invalid(`thresholds.${unknown}`, `the labels are ${listed(labels)}`);
  }
  if (classes.length === 2) return [undefined, given];
  throw invalid('thresholds', `one number is for two classes, the model has ${classes.length}: name the labels`);
}

function firstUnknown(given: ReadonlyMap<string, unknown>, names: readonly ClassLabel[]): string | undefined {
  const known = new Set(names.map(String));
  return [...given.keys()].find((name) => !known.has(name))?.slice(0, 80);
}

function listed(names: readonly ClassLabel[]): string {
  return names.length === 0 ? 'none' : names.slice(0, 20).map(String).join(', ').slice(0, 200);
}

/**
 * A class with a threshold is chosen when its probability reaches it, and of several such classes the likeliest; otherwise the likeliest class without
 * a threshold. Where every class has one and none reaches it, the likeliest of all.
 */
function chooser(thresholds: readonly (number | undefined)[]): Decision['choose'] {
  return (probabilities) => {
    const reached = likeliest(probabilities, (at) => (probabilities[at] ?? 0) >= (thresholds[at] ?? Infinity));
    const free = reached ?? likeliest(probabilities, (at) => thresholds[at] === undefined);
    return free ?? indexOfMax(probabilities);
  };
}

function likeliest(probabilities: Float64Array, isOpen: (at: number) => boolean): number | undefined {
  let best: number | undefined;
  for (let at = 0; at < probabilities.length; at += 1) {
    if (isOpen(at) && (best === undefined || (probabilities[at] ?? 0) > (probabilities[best] ?? 0))) best = at;
  }
  return best;
}

function invalid(field: string, why: string): LoadError {
  return new LoadError('ArtifactInvalid', `metadata.json is not usable: ${field}: ${why}`);
}
