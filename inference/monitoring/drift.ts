// How far requests and answers have moved from the reference of the model in use. Counting is done with each answer; everything else when it is asked for.
import { indexOfMax } from '../estimators/matrix.ts';
import type { ServedModel } from '../model/served.ts';
import { SIDES, slotOf } from './bins.ts';
import type { Bins, Side } from './bins.ts';
import { Budget } from './budget.ts';
import type { ModelReference, PredictionReference } from './model-reference.ts';
import { populationStability } from './psi.ts';
import { SlidingCounts } from './sliding-counts.ts';
import { addTo } from './sums.ts';

export interface DriftOptions {
  /** The model in use. */
  readonly current: () => ServedModel | undefined;
  readonly windowMs: number;
  /** With fewer rows in the window, the index would be mostly chance: none is told. */
  readonly minRows: number;
  /** Milliseconds that only go forward. */
  readonly clock: () => number;
}

export interface DriftReading {
  /** Rows in the window. */
  readonly rows: number;
  /** Rows since the start that were not counted, because there were too many at a time. */
  readonly skipped: number;
  readonly watched: number;
  readonly ignored: number;
  /** Population stability index by feature; empty when there are too few rows. */
  readonly features: readonly { readonly name: string; readonly psi: number }[];
  readonly prediction?: number;
}

export interface OutOfRange {
  readonly feature: string;
  readonly side: Side;
  /** Since the first model that has this feature in its reference. */
  readonly total: number;
}

/** What was counted with one model: plain data. */
export interface DriftCounts {
  readonly skipped: number;
  /** Absent: the model has no reference. */
  readonly features?: Float64Array;
  readonly outside?: Float64Array;
  readonly prediction?: Float64Array;
}

interface Followed {
  readonly model: ServedModel['model'];
  readonly reference: ModelReference;
  readonly features: SlidingCounts;
  /** By feature and side. */
  readonly outside: Float64Array;
  readonly prediction?: { readonly reference: PredictionReference; readonly counts: SlidingCounts };
}

const NOTHING = { rows: 0, watched: 0, ignored: 0, features: [] };
const unused = new Float64Array(SIDES.length);

export class Drift {
  readonly #options: DriftOptions;
  readonly #budget: Budget;
  #followed: Followed | undefined;
  #skipped = 0;

  constructor(options: DriftOptions) {
    this.#options = options;
    this.#budget = new Budget(options.clock());
  }

  /** Counts rows (row-major) and their answers, as many as the budget allows. */
  observe(observed: Observed, answers: Answers): void {
    const { served, count, now } = observed;
    const followed = this.#of(served);
    if (followed === undefined) return;
    const stride = this.#budget.stride(count, followed.reference.columns.length + 1, now);
    this.#skipped += count;
    if (stride === 0) return;
    this.#skipped -= countRows(followed, observed, stride);
    countAnswers(followed, observed, answers, stride);
  }

  read(): DriftReading {
    const { current, clock, minRows } = this.#options;
    const served = current();
    const followed = served && this.#of(served);
    if (followed === undefined) return { ...NOTHING, skipped: this.#skipped };
    const now = clock();
    const { reference, prediction } = followed;
    const slots = followed.features.sum(now);
    const rows = slots[slots.length - 1] ?? 0;
    const answers = prediction?.counts.sum(now);
    const answered = answers?.reduce((sum, count) => sum + count, 0) ?? 0;
    return {
      rows,
      skipped: this.#skipped,
      watched: reference.names.length,
      ignored: reference.ignored,
      features:
        rows < minRows ? [] : reference.names.map((name, at) => ({ name, psi: indexOf(reference.bins, at, slots) })),
      ...(prediction &&
        answers &&
        answered >= minRows && { prediction: indexOf(prediction.reference.bins, 0, answers) }),
    };
  }

  outOfRange(): OutOfRange[] {
    const { reference, outside } = this.#followed ?? {};
    if (reference === undefined) return [];
    const { bins, names } = reference;
    return names.flatMap((feature, at) =>
      (bins.isCategorical[at] === 1 ? (['unknown'] as const) : (['below', 'above'] as const)).map((side) => ({
        feature,
        side,
        total: outside?.[at * SIDES.length + SIDES.indexOf(side)] ?? 0,
      })),
    );
  }

  /** Hands over what has been counted since the last time. */
  take(): DriftCounts {
    const now = this.#options.clock();
    const { features, outside, prediction } = this.#followed ?? {};
    const taken = {
      skipped: this.#skipped,
      ...(features && { features: features.take(now) }),
      ...(outside && { outside: outside.slice() }),
      ...(prediction && { prediction: prediction.counts.take(now) }),
    };
    this.#skipped = 0;
    outside?.fill(0);
    return taken;
  }

  /** Adds what another thread has counted with this model. */
  add(served: ServedModel | undefined, counts: DriftCounts): void {
    this.#skipped += counts.skipped;
    if (served === undefined) return;
    this.#of(served);
    const followed = this.#followed;
    if (followed === undefined || followed.reference.key !== served.reference?.key) return;
    const now = this.#options.clock();
    const { model, features, outside, prediction } = followed;
    if (counts.features !== undefined) addTo(features.current(now), counts.features);
    if (counts.outside !== undefined) addTo(outside, counts.outside);
    if (model !== served.model || prediction === undefined || counts.prediction === undefined) return;
    addTo(prediction.counts.current(now), counts.prediction);
  }

  /** What is counted for this model: nothing when it has no reference, or is no longer the one in use. */
  #of({ model, reference }: ServedModel): Followed | undefined {
    if (this.#followed?.model === model) return this.#followed;
    const { current, windowMs, clock } = this.#options;
    if (current()?.model !== model) return undefined;
    this.#followed = reference && follow(model, reference, this.#followed, { windowMs, now: clock() });
    return this.#followed;
  }
}

/** What the model said of some rows. */
export interface Answers {
  /** As `Model.predict`. */
  readonly predictions?: Float64Array | undefined;
  /** As `Model.predictProba`. */
  readonly probabilities?: Float64Array | undefined;
}

export interface Observed {
  readonly served: ServedModel;
  readonly rows: Float64Array;
  readonly count: number;
  /** By the clock of the options. */
  readonly now: number;
}

/** Every so many of the rows. Answers how many those are. */
function countRows(followed: Followed, { rows, count, now }: Observed, stride: number): number {
  const { model, reference, outside } = followed;
  const { columns, bins } = reference;
  const counts = followed.features.current(now);
  for (let row = 0; row < count; row += stride) {
    const start = row * model.features;
    for (let at = 0; at < columns.length; at += 1) {
      add(counts, slotOf(bins, at, rows[start + (columns[at] ?? 0)] ?? NaN, outside));
    }
  }
  const counted = Math.ceil(count / stride);
  counts[counts.length - 1] = (counts[counts.length - 1] ?? 0) + counted;
  return counted;
}

function countAnswers(
  { model, prediction }: Followed,
  { count, now }: Observed,
  answers: Answers,
  stride: number,
): void {
  if (prediction === undefined || !isSaid(prediction.reference, answers)) return;
  const counts = prediction.counts.current(now);
  for (let row = 0; row < count; row += stride) {
    const value = answerOf(row, prediction.reference, answers, model.classes.length);
    add(counts, slotOf(prediction.reference.bins, 0, value, unused));
  }
}

/** Whether these answers have what is counted. */
function isSaid({ of }: PredictionReference, { predictions, probabilities }: Answers): boolean {
  return of === 'prediction' && predictions !== undefined ? true : probabilities !== undefined;
}

/** What is counted of a row. */
function answerOf(row: number, { of }: PredictionReference, answers: Answers, width: number): number {
  const { predictions, probabilities } = answers;
  if (of === 'prediction' && predictions !== undefined) return predictions[row] ?? NaN;
  if (probabilities === undefined) return NaN;
  return of === 'probability'
    ? (probabilities[row * width + 1] ?? NaN)
    : indexOfMax(probabilities, row * width, (row + 1) * width);
}

/** Counts of the features go on where the reference is the same; those of the answers belong to one model. */
function follow(
  model: ServedModel['model'],
  reference: ModelReference,
  former: Followed | undefined,
  { windowMs, now }: { readonly windowMs: number; readonly now: number },
): Followed {
  const { prediction, bins, names } = reference;
  const isSame = former?.reference.key === reference.key;
  return {
    model,
    reference,
    // One more slot than bins: the rows.
    features: isSame ? former.features : new SlidingCounts(bins.expected.length + 1, windowMs, now),
    outside: isSame ? former.outside : carriedOver(names, former),
    ...(prediction && {
      prediction: { reference: prediction, counts: new SlidingCounts(prediction.bins.expected.length, windowMs, now) },
    }),
  };
}

/** A counter never goes back, so a feature keeps its number when the reference changes. */
function carriedOver(names: readonly string[], former: Followed | undefined): Float64Array {
  const outside = new Float64Array(names.length * SIDES.length);
  for (const [at, name] of names.entries()) {
    const before = former?.reference.names.indexOf(name) ?? -1;
    if (former === undefined || before === -1) continue;
    outside.set(former.outside.subarray(before * SIDES.length, (before + 1) * SIDES.length), at * SIDES.length);
  }
  return outside;
}

function add(counts: Float64Array, slot: number): void {
  counts[slot] = (counts[slot] ?? 0) + 1;
}

function indexOf({ slotsFrom, expected }: Bins, histogram: number, slots: Float64Array): number {
  const [from, to] = [slotsFrom[histogram], slotsFrom[histogram + 1]];
  return populationStability(expected.subarray(from, to), slots.subarray(from, to));
}
