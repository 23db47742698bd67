// A session as a Model: which of its outputs answers what. What the file leaves open (are these probabilities?) is seen from three rows.
import { HttpError } from '../errors.ts';
import { indexOfMax } from '../estimators/matrix.ts';
import { joined } from '../model/batches.ts';
import { ModelError } from '../model/errors.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { type Model, ModelInputError, type OutputName } from '../model/model.ts';
import { Holders } from './holders.ts';
import type { Column } from './protocol.ts';
import type { Session } from './sessions.ts';
import type { Signature } from './signature.ts';

/** Rows of one call: other requests get their turn in the worker in between. */
const ROWS_AT_ONCE = 256;
const PROBES = 3;

/** Numbers of `count` rows by one output. */
type Answer = (rows: Float64Array, count: number) => Promise<Float64Array>;
type Answers = Partial<Record<OutputName, Answer>> & { readonly predict: Answer };

interface Shape {
  readonly task: Model['task'];
  readonly classes: readonly ClassLabel[];
  readonly answers: Answers;
}

/**
 * The model of a session; `named` are the labels of metadata.json, for files without their own. `bytes`: of the file. Throws ModelError when its
 * outputs make no sense to this server.
 */
export async function onnxModel(
  signature: Signature,
  session: Session,
  { named, bytes }: { readonly named: readonly ClassLabel[]; readonly bytes: number },
): Promise<Model> {
  const { task, classes, answers } = await shapeOf(signature, session, named);
  const holders = new Holders(() => session.release());
  const { features, inputs } = signature;
  const elsewhere = () => {
    throw new TypeError('an ONNX model is asked through its remote');
  };
  return {
    modelType: 'OnnxModel',
    task,
    features,
    ...(inputs.length > 1 && { featureNames: inputs.map(({ name }) => name) }),
    texts: new Map(),
    classes,
    bytes,
    predict: elsewhere,
    ...(answers.predict_proba && { predictProba: elsewhere }),
    ...(answers.decision_function && { decisionFunction: elsewhere }),
    remote: {
      run: (output, rows, count) => {
        const answer = answers[output];
        if (answer === undefined) throw new HttpError(400, `OnnxModel has no ${output}`);
        return inParts(answer, { rows, count, features, atOnce: signature.oneRow ? 1 : ROWS_AT_ONCE });
      },
      hold: () => holders.hold(),
      letGo: () => holders.close(),
    },
  };
}

async function shapeOf(signature: Signature, session: Session, named: readonly ClassLabel[]): Promise<Shape> {
  const { label, numbers } = signature;
  const output = (name: string) => (rows: Float64Array, count: number) => session.run(name, rows, count);
  const scores = numbers === undefined ? undefined : numbersOf(output(numbers));
  const probe = scores === undefined ? undefined : await probed(signature, scores);
  if (label === undefined) return withoutLabel(scores ?? never, probe ?? NO_NUMBERS, named);
  const classes = classesOf(signature, probe?.isShares === true ? probe.width : 0, named);
  if (classes.length > 0) {
    const predict = indexed(output(label.name), classes);
    return { task: 'classifier', classes, answers: { predict, ...scoresOf(scores, probe, classes.length) } };
  }
  if (label.isText) {
    throw refused('it answers texts, and nowhere says which: list the classes as `labels` in metadata.json');
  }
  return { task: 'clusterer', classes, answers: { predict: numbersOf(output(label.name)) } };
}

/** What the numbers beside a label are: probabilities, or scores, of which scikit-learn answers that of the second of two classes. */
function scoresOf(scores: Answer | undefined, probe: Probe | undefined, classes: number): Partial<Answers> {
  if (scores === undefined || probe === undefined) return {};
  if (probe.isShares) return { predict_proba: scores };
  return { decision_function: probe.width === 2 && classes === 2 ? secondOf(scores) : scores };
}

/** A network: one number is a value, several are the probabilities of classes. */
function withoutLabel(scores: Answer, { width, isShares }: Probe, named: readonly ClassLabel[]): Shape {
  if (width === 1) return { task: 'regressor', classes: [], answers: { predict: scores } };
  if (!isShares) {
    throw refused(`it answers ${width} numbers a row that are no probabilities: end it in Softmax, or in one number`);
  }
  const classes = named.length === width ? named : Array.from({ length: width }, (_, at) => at);
  const predict: Answer = async (rows, count) => {
    const shares = await scores(rows, count);
    return Float64Array.from({ length: count }, (_, row) =>
      indexOfMax(shares.subarray(row * width, (row + 1) * width)),
    );
  };
  return { task: 'classifier', classes, answers: { predict, predict_proba: scores } };
}

/** Labels in the order of the columns: those in the file, else those of metadata.json, else 0, 1, 2... None where there are no columns to name. */
function classesOf({ classes, label }: Signature, width: number, named: readonly ClassLabel[]): readonly ClassLabel[] {
  const wanted = label?.isText === true ? 'string' : 'number';
  const fits = (labels: readonly ClassLabel[]) =>
    labels.every((name) => typeof name === wanted) &&
    new Set(labels).size === labels.length &&
    (width === 0 || labels.length === width);
  if (classes.length > 0 && fits(classes)) return classes;
  if (named.length > 0 && fits(named)) return named;
  return wanted === 'string' ? [] : Array.from({ length: width }, (_, at) => at);
}

interface Probe {
  /** Numbers in a row of the answer. */
  readonly width: number;
  /** They are from 0 to 1 and add up to 1. */
  readonly isShares: boolean;
}
const NO_NUMBERS: Probe = { width: 0, isShares: false };

async function probed({ features }: Signature, scores: Answer): Promise<Probe> {
  const rows: Float64Array[] = [];
  for (let at = 0; at < PROBES; at += 1) {
    rows.push(
      await scores(
        Float64Array.from({ length: features }, (_, column) => at + ((at * column) % 7)),
        1,
      ),
    );
  }
  const width = rows[0]?.length ?? 0;
  if (width === 0 || rows.some((row) => row.length !== width))
    throw refused('its output has not one row of numbers for each row');
  const isShares = rows.every(
    (row) => row.every((value) => value >= 0 && value <= 1.001) && Math.abs(sum(row) - 1) < 1e-3,
  );
  return { width, isShares: width > 1 && isShares };
}

function numbersOf(run: (rows: Float64Array, count: number) => Promise<Column>): Answer {
  return async (rows, count) => {
    const column = await run(rows, count);
    if (!(column instanceof Float64Array)) throw new TypeError('the output holds texts');
    if (column.some(Number.isNaN)) throw new ModelInputError('The model answers NaN: it does not take these values.');
    return column;
  };
}

function indexed(run: (rows: Float64Array, count: number) => Promise<Column>, classes: readonly ClassLabel[]): Answer {
  const places = new Map<ClassLabel, number>(classes.map((label, at) => [label, at]));
  return async (rows, count) => {
    const labels = await run(rows, count);
    return Float64Array.from({ length: labels.length }, (_, row) => {
      const place = places.get(labels[row] ?? '');
      if (place === undefined)
        throw new Error(`the model answers the label ${String(labels[row])}, which is none of its classes`);
      return place;
    });
  };
}

/** Of two columns of scores, that of the second class: the one that scikit-learn answers. */
function secondOf(scores: Answer): Answer {
  return async (rows, count) => {
    const both = await scores(rows, count);
    return Float64Array.from({ length: count }, (_, row) => both[2 * row + 1] ?? NaN);
  };
}

async function inParts(
  answer: Answer,
  { rows, count, features, atOnce }: { rows: Float64Array; count: number; features: number; atOnce: number },
): Promise<Float64Array> {
  if (count <= atOnce) return count === 0 ? new Float64Array() : answer(rows, count);
  const parts: Float64Array[] = [];
  for (let start = 0; start < count; start += atOnce) {
    const end = Math.min(start + atOnce, count);
    parts.push(await answer(rows.subarray(start * features, end * features), end - start));
  }
  return joined(parts);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function never(): Promise<Float64Array> {
  throw new TypeError('a signature has an output');
}

function refused(why: string): ModelError {
  return new ModelError('UnsupportedModel', `this ONNX file cannot be served: ${why}`);
}
