// Files of joblib.dump and pickle.dump. joblib puts the bytes of an array into the stream right after
// the record (NumpyArrayWrapper) that describes it; since joblib 1.2 a length byte and padding stand in front of them.
import { ByteReader } from './byte-reader.ts';
import { decompressed } from './compression.ts';
import { readPickle } from './pickle.ts';
import type { PickleRun } from './pickle-machine.ts';
import { type Instance, type NdArray, type Value, described } from './pickle-value.ts';
import { arrayFrom, arrayOf, dtypeOf, elements, notAModel, shapeOf } from './numpy.ts';

/**
 * Reads the one value that a joblib or pickle file holds; `estimators` are the names of classes that it may use. Throws ModelError; never holds more than
 * `maxBytes` decompressed.
 */
export function readJoblib(file: Uint8Array, estimators: ReadonlySet<string>, maxBytes: number): Value {
  const reader = new ByteReader(decompressed(file, maxBytes));
  return readPickle({ reader, estimators, afterBuild, opcodes: 0, nested: 0 });
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
