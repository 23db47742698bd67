// Compares two answers to the same request, whichever API it came by: is the prediction of each row the same, and how far apart are the scores? Pure.
import type { Task } from '../estimators/estimator.ts';

export interface Comparison {
  readonly rows: number;
  /** Rows of which the predictions differ. */
  readonly disagreeing: number;
  /** Largest absolute difference of the scores, for each row that has scores to compare. */
  readonly differences: readonly number[];
  readonly first?: Disagreement;
}

export interface Disagreement {
  readonly row: number;
  readonly ours: unknown;
  readonly theirs: unknown;
  readonly difference?: number;
}

/** What an answer says of its rows. */
interface Said {
  readonly predictions: readonly unknown[];
  /** Scores of each row: probabilities, or decision values. */
  readonly scores: readonly (readonly number[])[];
  /** Of one row: the probability of the predicted class, which can be compared where that is the same. */
  readonly confidence?: number;
}

/** Values of a regressor that differ by less, relatively, are the same: another library may add up in another order. */
const SAME = 1e-9;

/** undefined when the answers are not of the same form. `task`: of the model that gave ours. */
export function compare(ours: string, theirs: string, task: Task): Comparison | undefined {
  const [a, b] = [saidBy(ours), saidBy(theirs)];
  if (a === undefined || b === undefined || a.predictions.length !== b.predictions.length) return undefined;
  const isValue = task === 'regressor' || task === 'ranker';
  const rows = a.predictions.map((prediction, row) => compareRow(a, b, { prediction, row, isValue }));
  const disagreeing = rows.filter(({ isSame }) => !isSame);
  const [first] = disagreeing;
  return {
    rows: rows.length,
    disagreeing: disagreeing.length,
    differences: rows.flatMap(({ difference }) => (difference === undefined ? [] : [difference])),
    ...(first && { first: told(first, a, b) }),
  };
}

interface RowResult {
  readonly row: number;
  readonly isSame: boolean;
  readonly difference: number | undefined;
}

function compareRow(
  a: Said,
  b: Said,
  { prediction, row, isValue }: { readonly prediction: unknown; readonly row: number; readonly isValue: boolean },
): RowResult {
  const other = b.predictions[row];
  if (isValue && typeof prediction === 'number' && typeof other === 'number') {
    const difference = Math.abs(prediction - other);
    return { row, difference, isSame: difference <= SAME * Math.max(1, Math.abs(prediction)) };
  }
  const isSame = prediction === other;
  const difference = largestDifference(a.scores[row] ?? [], b.scores[row] ?? []);
  if (difference !== undefined || !isSame || a.confidence === undefined || b.confidence === undefined) {
    return { row, isSame, difference };
  }
  return { row, isSame, difference: Math.abs(a.confidence - b.confidence) };
}

function told({ row, difference }: RowResult, a: Said, b: Said): Disagreement {
  const disagreement = { row, ours: a.predictions[row], theirs: b.predictions[row] };
  return { ...disagreement, ...(difference !== undefined && { difference }) };
}

function largestDifference(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length === 0 || a.length !== b.length) return undefined;
  return a.reduce((largest, score, at) => Math.max(largest, Math.abs(score - (b[at] ?? NaN))), 0);
}

/** Reads an answer of V1, V2 or /predict. */
function saidBy(json: string): Said | undefined {
  const answer = parsed(json);
  if (answer === undefined) return undefined;
  const { predictions, outputs, sensitivity, prediction = sensitivity, confidence, probabilities } = answer;
  if (Array.isArray(predictions)) return { predictions, scores: [] };
  if (Array.isArray(outputs)) return saidByTensors(outputs);
  if (prediction === undefined) return undefined;
  const scores = isRecord(probabilities) ? [numbersOf(byName(probabilities))] : [];
  return { predictions: [prediction], scores, ...(typeof confidence === 'number' && { confidence }) };
}

function saidByTensors(outputs: readonly unknown[]): Said | undefined {
  const predict = tensorOf(outputs, 'predict');
  const scores = tensorOf(outputs, 'predict_proba') ?? tensorOf(outputs, 'decision_function');
  const rows = predict ?? scores;
  if (rows === undefined) return undefined;
  const scoresOfRows = scores?.map(numbersOf) ?? [];
  return {
    scores: scoresOfRows,
    predictions: predict === undefined ? scoresOfRows.map(likeliest) : predict.map(([label]) => label),
  };
}

/** Without labels the class is told by its place; a single score by its side of zero. */
function likeliest(scores: readonly number[]): number {
  const [only = 0] = scores;
  return scores.length === 1 ? Number(only > 0) : scores.indexOf(Math.max(...scores));
}

/** The rows of a tensor whose data is all in one list. */
function tensorOf(outputs: readonly unknown[], name: string): readonly (readonly unknown[])[] | undefined {
  const tensor = outputs.find((output) => isRecord(output) && output['name'] === name);
  if (!isRecord(tensor)) return undefined;
  const { shape, data } = tensor;
  if (!Array.isArray(shape) || !Array.isArray(data)) return undefined;
  const width = Number(shape[1] ?? 1);
  if (!(width >= 1) || !Number.isInteger(data.length / width)) return undefined;
  return Array.from(
    { length: data.length / width },
    (_, row) => data.slice(row * width, (row + 1) * width) as unknown[],
  );
}

function byName(members: Readonly<Record<string, unknown>>): unknown[] {
  return Object.keys(members)
    .sort()
    .map((key) => members[key]);
}

function numbersOf(values: readonly unknown[]): number[] {
  return values.filter((value) => typeof value === 'number');
}

function parsed(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
