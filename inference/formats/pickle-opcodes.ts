// One small function per pickle opcode; the table index is the opcode's byte.
import { ModelError } from '../model/errors.ts';
import type { PickleMachine } from './pickle-machine.ts';
import { Instance, Tuple, type Value } from './pickle-value.ts';

type Opcode = (machine: PickleMachine) => void;

/** Longest integer in bytes or digits; what is written has at most 128 bits (seeds). */
const MAX_INTEGER = 64;
const MAX_NAME = 1024;

function refuse(what: string): Opcode {
  return (machine) => {
    throw new ModelError('UnsupportedModel', `byte ${machine.reader.offset}: ${what}`);
  };
}

const pickledByPython2 = refuse('written by Python 2; load it and save it again with Python 3');
const outOfBand = refuse(
  'refers to data outside of the file; save it with joblib.dump or pickle.dump and their defaults',
);

function list(machine: PickleMachine): Value[] {
  const value = machine.top();
  if (!Array.isArray(value)) throw machine.damaged('APPEND to what is not a list');
  return value;
}

function append(machine: PickleMachine): void {
  const item = machine.pop();
  list(machine).push(item);
}

function appends(machine: PickleMachine): void {
  const items = machine.popMark();
  const target = list(machine);
  for (const item of items) target.push(item);
}

function fill(machine: PickleMachine, target: Map<Value, Value>, pairs: readonly Value[]): void {
  if (pairs.length % 2 !== 0) throw machine.damaged('a dict with a key without a value');
  for (let at = 0; at < pairs.length; at += 2) target.set(pairs[at] ?? null, pairs[at + 1] ?? null);
}

function setItems(machine: PickleMachine, pairs: readonly Value[]): void {
  const target = machine.top();
  // a class of its own that is a dict as well, such as scikit-learn's Bunch: what it holds is found elsewhere
  if (target instanceof Instance && target.callable.role === 'estimator') return;
  if (!(target instanceof Map)) throw machine.damaged('SETITEM on what is not a dict');
  fill(machine, target, pairs);
}

function setItem(machine: PickleMachine): void {
  const value = machine.pop();
  const key = machine.pop();
  setItems(machine, [key, value]);
}

function dict(machine: PickleMachine): void {
  const made = new Map<Value, Value>();
  fill(machine, made, machine.popMark());
  machine.push(made);
}

function addItems(machine: PickleMachine): void {
  const items = machine.popMark();
  const target = machine.top();
  if (!(target instanceof Set)) throw machine.damaged('ADDITEMS to what is not a set');
  for (const item of items) target.add(item);
}

function tupleOf(count: number): Opcode {
  return (machine) => {
    const items: Value[] = [];
    for (let left = count; left > 0; left -= 1) items.unshift(machine.pop());
    machine.push(new Tuple(items));
  };
}

/** Little-endian two's complement of any length. */
function long(machine: PickleMachine, length: number): void {
  if (length > MAX_INTEGER) throw machine.damaged(`an integer of ${length} bytes`);
  const bytes = machine.reader.take(length);
  let value = 0n;
  for (let at = length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  machine.push(compact(BigInt.asIntN(length * 8, value)));
}

/** A number where it is exact. */
function compact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function textLong(machine: PickleMachine, line: string): void {
  const digits = line.endsWith('L') ? line.slice(0, -1) : line;
  if (!/^-?\d+$/.test(digits)) throw machine.damaged('an integer without digits');
  machine.push(compact(BigInt(digits)));
}

function textInt(machine: PickleMachine): void {
  const line = machine.reader.line(MAX_INTEGER);
  if (line === '00' || line === '01') machine.push(line === '01');
  else textLong(machine, line);
}

const PYTHON_FLOATS: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', NaN],
]);

function textFloat(machine: PickleMachine): void {
  const line = machine.reader.line(MAX_INTEGER);
  const value = PYTHON_FLOATS.get(line) ?? (/^[-+.\deE]+$/.test(line) ? Number(line) : undefined);
  if (value === undefined || (Number.isNaN(value) && line !== 'nan')) throw machine.damaged('not a number');
  machine.push(value);
}

/** raw-unicode-escape: one byte per character, \uXXXX and \UXXXXXXXX for the rest. */
function textUnicode(machine: PickleMachine): void {
  const line = machine.reader.line(Infinity);
  const decoded = line.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/g, (whole, short?: string, wide?: string) => {
    const point = Number.parseInt(short ?? wide ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
  machine.push(decoded);
}

function textIndex(machine: PickleMachine): number {
  const line = machine.reader.line(20);
  if (!/^\d+$/.test(line)) throw machine.damaged('a memo index that is not a number');
  return Number(line);
}

function stackGlobal(machine: PickleMachine): void {
  const name = machine.pop();
  machine.global(machine.pop(), name);
}

function newObject(machine: PickleMachine): void {
  const args = machine.pop();
  machine.instantiate(machine.pop(), args);
}

function newObjectWithKeywords(machine: PickleMachine): void {
  const keywords = machine.pop();
  if (!(keywords instanceof Map) || keywords.size > 0) throw machine.damaged('keyword arguments');
  newObject(machine);
}

function reduce(machine: PickleMachine): void {
  const args = machine.pop();
  machine.reduce(machine.pop(), args);
}

function protocol(machine: PickleMachine): void {
  const version = machine.reader.u8();
  if (version > 5)
    throw new ModelError('UnsupportedModel', `pickle protocol ${version}; save it with protocol 5 or lower`);
}

function frame(machine: PickleMachine): void {
  const length = machine.reader.u64();
  const left = machine.reader.bytes.length - machine.reader.offset;
  if (length > left) throw machine.damaged(`a frame of ${length} bytes and ${left} are left`);
}

const BY_NAME: Readonly<Record<string, Opcode>> = {
  '\x80': protocol,
  '\x95': frame,
  '.': (m) => m.stop(),
  // constants
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  I: textInt,
  L: (m) => textLong(m, m.reader.line(MAX_INTEGER)),
  F: textFloat,
  K: (m) => m.push(m.reader.u8()),
  M: (m) => m.push(m.reader.u16()),
  J: (m) => m.push(m.reader.i32()),
  '\x8a': (m) => long(m, m.reader.u8()),
  '\x8b': (m) => long(m, m.reader.u32()),
  G: (m) => m.push(m.reader.f64BigEndian()),
  // text and bytes
  V: textUnicode,
  '\x8c': (m) => m.push(m.reader.utf8(m.reader.u8())),
  X: (m) => m.push(m.reader.utf8(m.reader.u32())),
  '\x8d': (m) => m.push(m.reader.utf8(m.reader.u64())),
  C: (m) => m.push(m.reader.take(m.reader.u8())),
  B: (m) => m.push(m.reader.take(m.reader.u32())),
  '\x8e': (m) => m.push(m.reader.take(m.reader.u64())),
  '\x96': (m) => m.push(m.reader.take(m.reader.u64())),
  // containers
  '(': (m) => m.mark(),
  ']': (m) => m.push([]),
  l: (m) => m.push(m.popMark()),
  a: append,
  e: appends,
  ')': (m) => m.push(new Tuple([])),
  t: (m) => m.push(new Tuple(m.popMark())),
  '\x85': tupleOf(1),
  '\x86': tupleOf(2),
  '\x87': tupleOf(3),
  '}': (m) => m.push(new Map()),
  d: dict,
  s: setItem,
  u: (m) => setItems(m, m.popMark()),
  '\x8f': (m) => m.push(new Set()),
  '\x90': addItems,
  '\x91': (m) => m.push(new Set(m.popMark())),
  // stack and memo
  '0': (m) => m.drop(),
  '1': (m) => void m.popMark(),
  '2': (m) => m.push(m.top()),
  p: (m) => m.put(textIndex(m)),
  q: (m) => m.put(m.reader.u8()),
  r: (m) => m.put(m.reader.u32()),
  '\x94': (m) => m.memoize(),
  g: (m) => m.get(textIndex(m)),
  h: (m) => m.get(m.reader.u8()),
  j: (m) => m.get(m.reader.u32()),
  // names and objects
  c: (m) => m.global(m.reader.line(MAX_NAME), m.reader.line(MAX_NAME)),
  '\x93': stackGlobal,
  R: reduce,
  '\x81': newObject,
  '\x92': newObjectWithKeywords,
  b: (m) => m.build(),
  // never in a model file
  S: pickledByPython2,
  T: pickledByPython2,
  U: pickledByPython2,
  i: pickledByPython2,
  o: pickledByPython2,
  P: outOfBand,
  Q: outOfBand,
  '\x97': outOfBand,
  '\x98': outOfBand,
  '\x82': refuse('copyreg extension codes are not supported'),
  '\x83': refuse('copyreg extension codes are not supported'),
  '\x84': refuse('copyreg extension codes are not supported'),
};

/** The function of each opcode byte; undefined for bytes that are none. */
export const OPCODES: readonly (Opcode | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => BY_NAME[String.fromCharCode(code)],
);
