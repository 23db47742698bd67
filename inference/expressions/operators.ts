// The operators of CEL on JSON values. Every number is a double, as in JSON: 7 / 2 is 3.5. Nothing is converted silently.
import type { BinaryOperator } from '@marcbachmann/cel-js';
import type { JsonValue } from '../validation/python-json.ts';
import { ExpressionError, isList, isMap, keysOf, kindOf, memberOf, spend, spendText } from './frame.ts';
import type { Frame } from './frame.ts';

export type Binary = (left: JsonValue, right: JsonValue, frame: Frame) => JsonValue;

const arithmetic =
  (operator: string, run: (left: number, right: number) => number): Binary =>
  (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return run(left, right);
    throw noOverload(operator, left, right);
  };

const comparison =
  (operator: string, run: (left: number | string, right: number | string) => boolean): Binary =>
  (left, right, frame) => {
    if (typeof left === 'number' && typeof right === 'number') return run(left, right);
    if (typeof left !== 'string' || typeof right !== 'string') throw noOverload(operator, left, right);
    spendText(frame, left);
    return run(left, right);
  };

export const BINARY: Readonly<Record<BinaryOperator, Binary>> = {
  '+': add,
  '-': arithmetic('-', (left, right) => left - right),
  '*': arithmetic('*', (left, right) => left * right),
  '/': arithmetic('/', (left, right) => left / right),
  '%': arithmetic('%', (left, right) => left % right),
  '<': comparison('<', (left, right) => left < right),
  '<=': comparison('<=', (left, right) => left <= right),
  '>': comparison('>', (left, right) => left > right),
  '>=': comparison('>=', (left, right) => left >= right),
  '==': isEqual,
  '!=': (left, right, frame) => !isEqual(left, right, frame),
  in: isIn,
};

/** Texts and lists grow by it, so they are paid for. */
function add(left: JsonValue, right: JsonValue, frame: Frame): JsonValue {
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (typeof left === 'string' && typeof right === 'string') {
    spend(frame, (left.length + right.length) >>> 2);
    return left + right;
  }
  if (!isList(left) || !isList(right)) throw noOverload('+', left, right);
  spend(frame, left.length + right.length);
  return [...left, ...right];
}

/** Values of different types are different. */
export function isEqual(left: JsonValue, right: JsonValue, frame: Frame): boolean {
  if (typeof left === 'string') {
    spendText(frame, left);
    return left === right;
  }
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right;
  return isList(left) || isList(right) ? areListsEqual(left, right, frame) : areMapsEqual(left, right, frame);
}

function areListsEqual(left: JsonValue, right: JsonValue, frame: Frame): boolean {
  if (!isList(left) || !isList(right) || left.length !== right.length) return false;
  spend(frame, left.length);
  return left.every((value, at) => isEqual(value, right[at] ?? null, frame));
}

function areMapsEqual(left: JsonValue, right: JsonValue, frame: Frame): boolean {
  if (!isMap(left) || !isMap(right)) return false;
  const keys = keysOf(frame, left);
  if (keys.length !== keysOf(frame, right).length) return false;
  return keys.every((key) => {
    const other = memberOf(right, key);
    return other !== undefined && isEqual(memberOf(left, key) ?? null, other, frame);
  });
}

function isIn(value: JsonValue, container: JsonValue, frame: Frame): boolean {
  if (isMap(container)) return typeof value === 'string' && Object.hasOwn(container, value);
  if (!isList(container)) throw noOverload('in', value, container);
  spend(frame, container.length);
  return container.some((element) => isEqual(element, value, frame));
}

export function truth(value: JsonValue): boolean {
  if (typeof value === 'boolean') return value;
  throw new ExpressionError(`${kindOf(value)} is neither true nor false`);
}

function noOverload(operator: string, left: JsonValue, right: JsonValue): ExpressionError {
  return new ExpressionError(`${kindOf(left)} ${operator} ${kindOf(right)} cannot be computed`);
}
