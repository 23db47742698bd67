// Files of joblib.dump and pickle.dump: plain, zlib or gzip. joblib puts the bytes of an array into the stream right after
// the record (NumpyArrayWrapper) that describes it; since joblib 1.2 a length byte and padding stand in front of them.
import { gunzipSync, inflateSync } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { ModelError } from '../model/errors.ts';
import { readPickle } from './pickle.ts';
import type { PickleRun } from './pickle-machine.ts';
import { type Instance, type NdArray, type Value, described } from './pickle-value.ts';
import { arrayFrom, arrayOf, dtypeOf, elements, notAModel, shapeOf } from './numpy.ts';

const CHUNK_BYTES = 256 * 1024;

/** First bytes of the compressions that joblib offers and that Node cannot read. */
const REFUSED: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'bz2', magic: [0x42, 0x5a, 0x68] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'joblib 0.9', magic: [0x5a, 0x46] },
];

/**
 * Reads the one value that a joblib or pickle file holds; `estimators` are the names of classes that it may use. Throws ModelError; never holds more than
 * `maxBytes` decompressed.
 */
export function readJoblib(file: Uint8Array, estimators: ReadonlySet<string>, maxBytes: number): Value {
  const reader = new ByteReader(decompressed(file, maxBytes));
  return readPickle({ reader, estimators, afterBuild, opcodes: 0, nested: 0 });
}

function startsWith(file: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => file[at] === byte);
}

/** RFC 1950: method 8, and the two header bytes are a multiple of 31. No pickle starts with 0x?8. */
function isZlib(file: Uint8Array): boolean {
  const [first = 0, second = 0] = file;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
}

function decompressed(file: Uint8Array, maxBytes: number): Uint8Array {
  const refused = REFUSED.find(({ magic }) => startsWith(file, magic));
  if (refused !== undefined) {
    throw new ModelError(
      'UnsupportedModel',
      `compressed with ${refused.name}, which is not supported: save with joblib.dump(model, path, compress=('zlib', 3))`,
    );
  }
  if (startsWith(file, [0x1f, 0x8b])) return unpacked(gunzipSync, file, maxBytes);
  if (isZlib(file)) return unpacked(inflateSync, file, maxBytes);
  if (file.length > maxBytes) throw tooLarge(maxBytes);
  return file;
}

function tooLarge(maxBytes: number): ModelError {
  return new ModelError(
    'ArtifactTooLarge',
    `the model file is larger than ${maxBytes} bytes; use fewer or smaller trees`,
  );
}

function unpacked(unpack: typeof inflateSync, file: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return unpack(file, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new ModelError('LoadFailed', `the compressed data is damaged or cut off (${code}); upload the file again`, {
      cause,
    });
  }
}

/** Puts the array in the place of the record that announces it. */
function afterBuild(built: Instance, run: PickleRun): Value {
  return built.callable.role === 'arrayWrapper' ? inlineArray(built, run) : built;
}

function inlineArray(wrapper: Instance, run: PickleRun): NdArray {
  const { state } = wrapper;
  if (!(state instanceof Map)) throw notAModel(`${described(wrapper)} without a description`);
  const dtype = dtypeOf(state.get('dtype'));
  const shape = shapeOf(state.get('shape'));
  if (dtype.kind === 'O') return objectArray(shape, run);
  const alignment = state.get('numpy_array_alignment_bytes') ?? null;
  if (alignment !== null) run.reader.take(run.reader.u8());
  return arrayFrom(dtype, shape, state.get('order') === 'F', run.reader.take(elements(shape) * dtype.itemSize));
}

/** Arrays of Python objects are a pickle of their own in the stream. */
function objectArray(shape: readonly number[], run: PickleRun): NdArray {
  const array = arrayOf(readPickle(run));
  if (array.dtype.kind !== 'O' || elements(array.shape) !== elements(shape)) {
    throw notAModel('an array of objects that is not what was announced');
  }
  return array;
}
