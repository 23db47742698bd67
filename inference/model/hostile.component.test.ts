// Files made to harm, and files that are broken: refused with a ModelError, or a model that is sound. Never anything else.
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { global, pickle, seededRandom, spliced, stackGlobal, text, uint } from '../../test/support/a-pickle.ts';
import { modelFile } from '../../test/support/model-fixtures.ts';
import { ModelError, modelOf, parseModel } from './model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };
const BINARY = '\x80\x04';

function refusalOf(file: Uint8Array): ModelError {
  try {
    parseModel('model.joblib', file, limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const plain = modelFile('iris-pickle').bytes;
const joblib = modelFile('iris-bare').bytes;
/** In both files: the attribute n_jobs with the value 1. */
const ATTRIBUTE = '\x8c\x06n_jobs\x94K\x01';

describe('a pickle that wants to run something', () => {
  const shell = [text('touch /tmp/x'), '\x85', 'R'].join('');
  const call = `${stackGlobal('builtins', 'eval')}${text('1+1')}\x85R`;

  it.each([
    ['os.system, protocol 0', pickle(global('os', 'system'), "(S'true'\ntR."), 'os.system'],
    ['os.system, protocol 4', pickle(BINARY, stackGlobal('os', 'system'), shell, '.'), 'os.system'],
    ['posix.system', pickle(BINARY, stackGlobal('posix', 'system'), shell, '.'), 'posix.system'],
    ['subprocess.Popen by NEWOBJ', pickle(BINARY, stackGlobal('subprocess', 'Popen'), shell, '.'), 'subprocess.Popen'],
    ['builtins.getattr', pickle(BINARY, stackGlobal('builtins', 'getattr'), '.'), 'builtins.getattr'],
    ['a dotted name', pickle(BINARY, stackGlobal('builtins', 'object.__reduce_ex__'), '.'), '__reduce_ex__'],
    ['a way through numpy', pickle(BINARY, stackGlobal('numpy', 'ndarray.__class__'), '.'), 'numpy.ndarray.__class__'],
    ['numpy.load', pickle(BINARY, stackGlobal('numpy', 'load'), '.'), 'numpy.load'],
    ['joblib.load', pickle(BINARY, stackGlobal('joblib', 'load'), '.'), 'joblib.load'],
    ['a module with a path in it', pickle(global('../../evil', 'x'), '.'), '../../evil.x'],
    ['eval in an attribute of a model', spliced(plain, ATTRIBUTE, `${ATTRIBUTE.slice(0, -2)}${call}`), 'builtins.eval'],
    ['eval in an attribute, joblib', spliced(joblib, ATTRIBUTE, `${ATTRIBUTE.slice(0, -2)}${call}`), 'builtins.eval'],
    ['os.system in front of a model', pickle(BINARY, stackGlobal('os', 'system'), shell, '0', plain), 'os.system'],
    ['os.system, compressed', deflateSync(pickle(BINARY, stackGlobal('os', 'system'), shell, '.')), 'os.system'],
  ])('%s is refused by name', (_, file, name) => {
    const { reason, message } = refusalOf(file);

    expect(reason).toBe('UnsupportedModel');
    expect(message).toContain(name);
    expect(message).toMatch(/byte \d+/);
  });

  it('shows control characters of a name as question marks, and not all of a long one', () => {
    const { message } = refusalOf(pickle(BINARY, stackGlobal('\x1b[31m', 'y'.repeat(200)), '.'));

    expect(message).toContain('?[31m.yyy');
    expect(message.length).toBeLessThan(256);
  });

  it.each([
    ['a class that is allowed, by REDUCE', pickle(BINARY, stackGlobal('numpy', 'ndarray'), ')R.')],
    ['a function that is allowed, by NEWOBJ', pickle(BINARY, stackGlobal('_codecs', 'encode'), ')\x81.')],
    ['a number', pickle(BINARY, 'K\x01)R.')],
    ['the result of a call', pickle(BINARY, stackGlobal('numpy', 'dtype'), ')R)R.')],
  ])('calls nothing that is not meant to be called: %s', (_, file) => {
    expect(refusalOf(file)).toMatchObject({
      reason: 'UnsupportedModel',
      message: expect.stringContaining('wants to call') as string,
    });
  });

  it.each([
    ['persistent ids', pickle('Pname\n.')],
    ['extension codes', pickle(BINARY, '\x82\x01.')],
    ['buffers from outside', pickle('\x80\x05\x97.')],
    ['texts of Python 2', pickle('U\x01a.')],
    ['a protocol of the future', pickle('\x80\x06N.')],
  ])('%s are refused', (_, file) => {
    expect(refusalOf(file).reason).toBe('UnsupportedModel');
  });
});

describe('a pickle that wants to exhaust', () => {
  it.each([
    ['bytes of 2^40', pickle(BINARY, '\x8e', uint(2n ** 40n, 8), 'x.')],
    ['bytes of 2^64 - 1', pickle(BINARY, '\x8e', uint(2n ** 64n - 1n, 8), 'x.')],
    ['text of 2^40', pickle(BINARY, '\x8d', uint(2n ** 40n, 8), 'x.')],
    ['text of 2^32 - 1', pickle(BINARY, 'X', uint(2 ** 32 - 1, 4), 'x.')],
    ['a byte array of 2^40', pickle('\x80\x05\x96', uint(2n ** 40n, 8), 'x.')],
    ['an integer of 2^31 bytes', pickle(BINARY, '\x8b', uint(2 ** 31, 4), 'x.')],
    ['an integer of 65 bytes', pickle(BINARY, '\x8b', uint(65, 4), '\x01'.repeat(65), '.')],
    ['an integer of a million digits', pickle(`L${'9'.repeat(1_000_000)}L\n.`)],
    ['a frame of 2^40', pickle(BINARY, '\x95', uint(2n ** 40n, 8), 'N.')],
    ['a memo index of 20 digits', pickle(`Np${'9'.repeat(21)}\n.`)],
    ['values that nobody put', pickle(BINARY, 'h\x05.')],
    ['an empty stack', pickle(BINARY, '.')],
    ['a mark that is missing', pickle(BINARY, 't.')],
    ['values from below a mark', pickle(BINARY, 'N(.')],
    ['state given twice', pickle(BINARY, stackGlobal('numpy', 'dtype'), ')RNbNb.')],
  ])('%s', (_, file) => {
    expect(refusalOf(file).reason).toBe('LoadFailed');
  });

  it('a flood of opcodes stops at a limit', () => {
    expect(refusalOf(pickle(BINARY, ']'.repeat(3_000_000), '.'))).toMatchObject({
      reason: 'ArtifactTooLarge',
      message: expect.stringContaining('opcodes') as string,
    });
  });

  it('deep nesting costs no stack', () => {
    expect(refusalOf(pickle(BINARY, ']'.repeat(500_000), 'a'.repeat(499_999), '.')).message).toContain('holds a list');
  });

  it('a list in itself, and a memo that doubles sixty times, cost nothing', () => {
    const doubling = Array.from(
      { length: 60 },
      (_, at) => `h${String.fromCharCode(at)}h${String.fromCharCode(at)}\x86\x94`,
    );

    expect(refusalOf(pickle(BINARY, ']\x94h\x00a.')).message).toContain('holds a list');
    expect(refusalOf(pickle(BINARY, 'N\x94', doubling.join(''), '.')).message).toContain('holds a tuple');
  });

  it.each([
    ['zlib', deflateSync(new Uint8Array(64 * 2 ** 20))],
    ['plain', new Uint8Array(limits.maxBytes + 1)],
  ])('more bytes than allowed are refused: %s', (_, file) => {
    expect(refusalOf(file).reason).toBe('ArtifactTooLarge');
  });

  it('one tree named many times is counted many times', () => {
    const end = plain.length - 8;

    // the file ends with APPENDS of the trees, the version as a last attribute, and BUILD; DUP repeats the last tree
    expect(String.fromCharCode(plain[end] ?? 0)).toBe('e');
    expect(refusalOf(pickle(plain.subarray(0, end), '2'.repeat(60_000), plain.subarray(end)))).toMatchObject({
      reason: 'ArtifactTooLarge',
      message: expect.stringContaining('the model takes more than') as string,
    });
  });

  it('pickles in arrays in pickles in arrays end at a limit', () => {
    const dtype = `${stackGlobal('numpy', 'dtype')}${text('O8')}\x89\x88\x87R(K\x03${text('|')}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb`;
    const state = `}(${text('dtype')}${dtype}${text('shape')}K\x01\x85${text('order')}${text('C')}u`;
    const wrapper = `${BINARY}${stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper')})\x81${state}b`;

    expect(refusalOf(pickle(wrapper.repeat(50))).message).toContain('nested too deeply');
  });
});

describe('a broken file', () => {
  const files = { plain, joblib, 'protocol 0': modelFile('iris-protocol-0').bytes, zlib: deflateSync(joblib) };
  const twentieths = Array.from({ length: 20 }, (_, at) => at / 20);

  it.each(Object.entries(files))('cut off at every twentieth is refused: %s', (_, file) => {
    const reasons = twentieths.map((share) => refusalOf(file.subarray(0, Math.floor(file.length * share))).reason);

    expect(new Set(reasons)).toEqual(new Set(['LoadFailed']));
  });

  it.each(Object.entries(files))('with its last byte missing is refused: %s', (_, file) => {
    expect(refusalOf(file.subarray(0, -1)).reason).toBe('LoadFailed');
  });

  it.each([
    [
      'a node number beyond 32 bits',
      `${'\xff'.repeat(16)}\xfe`,
      `${'\xff'.repeat(4)}${'\0'.repeat(4)}${'\xff'.repeat(8)}\xfe`,
    ],
    ['a field outside of its record', 'K8\x86\x94u', 'K@\x86\x94u'],
    ['a field of another name', 'right_child', 'right_chilt'],
    ['another number of nodes', 'node_count\x94K', 'node_count\x94N0K\x01K'],
    ['another number of features', 'n_features_in_\x94K\x04', 'n_features_in_\x94K\x05'],
  ])('with %s is refused', (_, from, to) => {
    expect(refusalOf(spliced(plain, from, to)).reason).toBe('LoadFailed');
  });

  it.each(Object.entries(files))('mutated 750 times is refused or sound: %s', { timeout: 60_000 }, (_, file) => {
    const random = seededRandom(file.length);

    const parsed = Array.from({ length: 750 }, () => outcome(mutated(file, random))).filter((sound) => sound);

    // both outcomes have to occur, or the mutations are not worth their name
    expect(parsed.length).toBeLessThan(700);
  });
});

/** One of five kinds of damage at a random place. */
function mutated(file: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * file.length);
  const copy = new Uint8Array(file);
  const kind = Math.floor(random() * 5);
  if (kind === 0) copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  if (kind === 1) copy[at] = Math.floor(random() * 256);
  if (kind === 2) copy.copyWithin(at, Math.floor(random() * file.length), Math.floor(random() * file.length));
  if (kind === 3) return pickle(copy.subarray(0, at), copy.subarray(at + 1 + Math.floor(random() * 8)));
  if (kind === 4) copy.fill(Math.floor(random() * 2) * 255, at, at + 1 + Math.floor(random() * 8));
  return copy;
}

/** False when refused; throws when the model that came out is not sound, or when another error did. */
function outcome(file: Uint8Array): boolean {
  try {
    const data = parseModel('model.pkl', file, limits);
    const rows = Float64Array.from({ length: 2 * data.features }, (_, at) => (at % 3) * 2.4 - 1);
    const found = modelOf(data).predictProba?.(rows, 2) ?? new Float64Array();
    const sums = [0, 1].map((row) =>
      found.subarray((row * found.length) / 2, ((row + 1) * found.length) / 2).reduce((a, b) => a + b, 0),
    );
    if (data.features !== 4 || data.root.classes.length * 2 !== found.length)
      throw new Error('another width than its trees');
    if (sums.some((sum) => !(Math.abs(sum - 1) < 1e-6))) throw new Error(`shares that add up to ${String(sums)}`);
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}
