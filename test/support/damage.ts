// Files with random damage, and what a reader may do with them: refuse, or give a model whose answers can be told from nonsense.
import { inflateSync } from 'node:zlib';
import { type Model, ModelError, ModelInputError, modelOf, parseModel } from '../../inference/model/model.ts';
import { readOnnx } from '../../inference/onnx/file.ts';

const LIMITS = { maxBytes: 16 * 2 ** 20 };

/** Cases whose probabilities do not add up to 1, so that there is nothing to tell a sound model by. Their reader is that of others. */
export const ONE_AGAINST_REST = /^LightGBM-multiclassova/;

/** One of six kinds of damage at a random place. */
export function mutated(file: Uint8Array, random: () => number): Uint8Array {
  const any = (below: number) => Math.floor(random() * below);
  const at = any(file.length);
  const copy = new Uint8Array(file);
  const kind = any(6);
  if (kind === 0) copy[at] = (copy[at] ?? 0) ^ (1 << any(8));
  if (kind === 1) copy[at] = any(256);
  if (kind === 2) copy.copyWithin(at, any(file.length), any(file.length));
  if (kind === 3) return joined(copy.subarray(0, at), copy.subarray(at + 1 + any(8)));
  if (kind === 4) copy.fill(any(2) * 255, at, at + 1 + any(8));
  // a piece twice: numbers get longer, lists get entries
  if (kind === 5) return joined(copy.subarray(0, at), copy.subarray(Math.max(0, at - 1 - any(8))));
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The bytes that a reader looks at: damage under a compression is found by its checksum, long before. */
export function decompressed(file: Uint8Array): Uint8Array {
  return file[0] === 0x78 ? new Uint8Array(inflateSync(file)) : file;
}

/**
 * Whether a file gave a model. Throws when that model is not sound, or when another error than ModelError came. `rowsFor` gives three rows to ask; a model may
 * refuse a row, as scikit-learn would.
 */
export function gaveSoundModel(name: string, file: Uint8Array, rowsFor = anyRows): boolean {
  try {
    const model = modelOf(parseModel(name, file, LIMITS));
    checkSound(model, rowsFor(model));
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    if (error instanceof ModelInputError) return true;
    throw error;
  }
}

/** Whether a file gave an ONNX model, as far as it is read here. Throws when another error than ModelError came, or when it cannot be asked. */
export function gaveOnnxModel(file: Uint8Array): boolean {
  try {
    const { features, inputs } = readOnnx(file).signature;
    if (!(features > 0 && inputs.length > 0)) throw new Error('a model without features');
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}

const ROWS = 3;

function anyRows({ features }: Model): Float64Array {
  return Float64Array.from({ length: ROWS * features }, (_, at) => (at % 7) * 2.4 - 1);
}

function checkSound(model: Model, rows: Float64Array): void {
  const classes = model.classes.length;
  const labels = model.predict(rows, ROWS);
  if (labels.length !== ROWS) throw new Error(`${labels.length} answers to ${ROWS} rows`);
  if (labels.some((answer) => Number.isNaN(answer))) throw new Error('an answer that is no number');
  if (model.task !== 'classifier') return;
  if (classes === 0) throw new Error('a classifier without classes');
  if (!labels.every((label) => Number.isInteger(label) && label >= 0 && label < classes)) {
    throw new Error(`labels ${String(labels)}`);
  }
  checkShares(model.predictProba?.(rows, ROWS), classes);
}

function checkShares(shares: Float64Array | undefined, classes: number): void {
  if (shares === undefined) return;
  if (shares.length !== ROWS * classes) throw new Error('another width than its classes');
  for (let row = 0; row < ROWS; row += 1) {
    const sum = shares.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0);
    if (!(Math.abs(sum - 1) < 1e-5)) throw new Error(`shares that add up to ${sum}`);
  }
}
