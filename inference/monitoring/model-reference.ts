// The reference of metadata.json fitted to its model: names become columns, classes and texts become the numbers that rows and answers hold. Pure.
import { LoadError } from '../load-error.ts';
import type { Model } from '../model/model.ts';
import { binsOf } from './bins.ts';
import type { Binning, Bins } from './bins.ts';
import type { Category, Histogram, Reference } from './reference.ts';

/** Every watched feature is a few lines of /metrics. */
export const MAX_WATCHED = 200;

export interface ModelReference {
  /** Equal for references of which the counts can be added up. */
  readonly key: string;
  /** Watched features in the order of the model's columns: name, column, and histogram in `bins`. */
  readonly names: readonly string[];
  readonly columns: Int32Array;
  readonly bins: Bins;
  /** Features with a histogram that are not watched, because there are more than 200. */
  readonly ignored: number;
  readonly prediction?: PredictionReference;
}

export interface PredictionReference {
  /** What is counted: `predict`, or the probability of the second class. */
  readonly of: 'prediction' | 'probability';
  /** One histogram. */
  readonly bins: Bins;
}

type Shape = Pick<Model, 'features' | 'classes' | 'task' | 'texts' | 'predictProba'>;

/**
 * @param names names of the columns; empty: their places, from "0"
 * Throws LoadError ArtifactInvalid that names the field.
 */
export function modelReference(reference: Reference, names: readonly string[], model: Shape): ModelReference {
  const columnOf = new Map(
    names.length === 0
      ? Array.from({ length: model.features }, (_, column) => [String(column), column])
      : names.map((name, column) => [name, column]),
  );
  const found = Object.entries(reference.features).map(([name, histogram]) => {
    const column = columnOf.get(name);
    if (column === undefined) throw invalid(`features.${name}`, 'the model has no such feature');
    return { name, column, binning: featureBinning(name, histogram, model.texts.get(column)) };
  });
  const watched = found.sort((a, b) => a.column - b.column).slice(0, MAX_WATCHED);
  const { prediction } = reference;
  return {
    key: JSON.stringify(watched),
    names: watched.map(({ name }) => name),
    columns: Int32Array.from(watched, ({ column }) => column),
    bins: binsOf(watched.map(({ binning }) => binning)),
    ignored: found.length - watched.length,
    ...(prediction && { prediction: predictionReference(prediction, model) }),
  };
}

function featureBinning(name: string, histogram: Histogram, texts: ReadonlyMap<string, number> | undefined): Binning {
  const { edges, categories = [] } = histogram;
  const field = `features.${name}`;
  if (edges !== undefined) {
    if (texts !== undefined) throw invalid(`${field}.edges`, 'this feature is text: use categories');
    return numeric(edges, histogram);
  }
  const codes = categories.map((category, at) => {
    if (texts !== undefined) return texts.get(String(category)) ?? UNKNOWN_TEXT;
    const code = typeof category === 'string' ? NaN : Number(category);
    if (Number.isNaN(code)) {
      throw invalid(`${field}.categories.${at}`, `${quoted(category)} is no number, as this feature is`);
    }
    return code;
  });
  return categorical(codes, histogram);
}

/** What a row holds for a text that the model does not know. */
const UNKNOWN_TEXT = -1;

function predictionReference(histogram: Histogram, model: Shape): PredictionReference {
  const { edges, categories = [] } = histogram;
  const isClassifier = model.task === 'classifier';
  if (edges !== undefined) {
    if (!isClassifier) return { of: 'prediction', bins: binsOf([numeric(edges, histogram)]) };
    if (model.classes.length === 2 && model.predictProba !== undefined) {
      return { of: 'probability', bins: binsOf([numeric(edges, histogram)]) };
    }
    throw invalid('prediction.edges', 'a classifier has them for two classes with probabilities only: use categories');
  }
  const codes = categories.map((category, at) => {
    const code = isClassifier ? model.classes.findIndex((label) => isSameLabel(label, category)) : Number(category);
    if (isClassifier && code === -1) {
      const classes = model.classes.slice(0, 20).map(quoted).join(', ');
      throw invalid(`prediction.categories.${at}`, `${quoted(category)} is none of the model's classes ${classes}`);
    }
    if (Number.isNaN(code)) throw invalid(`prediction.categories.${at}`, `${quoted(category)} is no number`);
    return code;
  });
  return { of: 'prediction', bins: binsOf([categorical(codes, histogram)]) };
}

/** A CSV file knows no types: 1 is "1", and Python writes True. */
function isSameLabel(label: Category, category: Category): boolean {
  if (typeof label === 'boolean') return String(label) === String(category).toLowerCase();
  return String(label) === String(category);
}

function numeric(edges: readonly number[], { counts, missing }: Histogram): Binning {
  return { points: edges, isCategorical: false, counts, missing };
}

/** Ascending codes; equal ones are one category. */
function categorical(codes: readonly number[], { counts, missing }: Histogram): Binning {
  const byCode = new Map<number, number>();
  for (const [at, code] of codes.entries()) byCode.set(code, (byCode.get(code) ?? 0) + (counts[at] ?? 0));
  const sorted = [...byCode].sort(([a], [b]) => a - b);
  return {
    points: sorted.map(([code]) => code),
    isCategorical: true,
    counts: sorted.map(([, count]) => count),
    missing,
  };
}

function quoted(value: Category): string {
  return JSON.stringify(value).slice(0, 80);
}

function invalid(field: string, why: string): LoadError {
  return new LoadError('ArtifactInvalid', `metadata.json is not usable: reference.${field}: ${why}`);
}
