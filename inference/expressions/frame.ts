// What an expression sees while it runs: its variables, and how much work the request may still ask for.
import { keysInOrder } from '../validation/python-json.ts';
import type { JsonObject, JsonValue } from '../validation/python-json.ts';

/** The body does not have what an expression asks of it. The message says what, not where. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

export interface Frame {
  /** Variables by their place; those of a loop lie behind the ones outside of it. */
  readonly slots: JsonValue[];
  /** Steps that are left to this request. */
  steps: number;
}

/** A compiled expression. Throws ExpressionError. */
export type Evaluate = (frame: Frame) => JsonValue;

/**
 * Steps of one request: one for each part of an expression and each turn of the loop around it, one for each value that a function looks at, more
 * where a function is slow. A basket of a thousand lines takes a hundredth of it; all of it takes 10 to 150 ms.
 */
export const MAX_STEPS = 5_000_000;

export function spend(frame: Frame, steps: number): void {
  frame.steps -= steps;
  if (frame.steps < 0) throw new ExpressionError(`this body takes more than ${MAX_STEPS} steps`);
}

/** Steps of looking through a text. */
export function spendText(frame: Frame, { length }: string): void {
  if (length > 64) spend(frame, length >>> 6);
}

export function isMap(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Own members only: nothing of a prototype can be reached. */
export function memberOf(map: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** In the order of the text. JavaScript makes the list anew each time, so it is paid for. */
export function keysOf(frame: Frame, map: JsonObject): readonly string[] {
  const keys = keysInOrder(map);
  spend(frame, 8 * keys.length);
  return keys;
}

/** What a loop goes over: the elements of a list, the keys of a map in the order of the text. */
export function elementsOf(frame: Frame, value: JsonValue): readonly JsonValue[] {
  if (isList(value)) return value;
  if (isMap(value)) return keysOf(frame, value);
  throw new ExpressionError(`${kindOf(value)} is no list`);
}

/** The value's type as it is told to people. */
export function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (isList(value)) return 'a list';
  if (isMap(value)) return 'an object';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'a text' : 'a number';
}
