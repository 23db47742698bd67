// What an expression can call. A function has a place for three arguments; those that it does not take are null.
import type { JsonValue } from '../validation/python-json.ts';
import { ExpressionError, elementsOf, isList, isMap, keysOf, kindOf, memberOf, spend } from './frame.ts';
import type { Frame } from './frame.ts';
import { isEqual } from './operators.ts';

export type Run = (frame: Frame, a: JsonValue, b: JsonValue, c: JsonValue) => JsonValue;

interface Callable {
  readonly run: Run;
  /** Makes it known to the type checker; CEL's own functions need none. */
  readonly signatures?: readonly string[];
}

const number = (name: string, run: (value: number) => number): [string, Callable] => [
  `${name}/1`,
  { run: (_, value) => run(numberOf(value)), signatures: [`${name}(dyn): double`] },
];

/** By name and number of arguments. */
export const FUNCTIONS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ['size/1', { run: sizeOf }],
  ['double/1', { run: doubleOf, signatures: ['double(bool): double'] }],
  ['int/1', { run: (frame, value) => Math.trunc(doubleOf(frame, value)) }],
  ['string/1', { run: textOf }],
  ['dyn/1', { run: (_, value) => value }],
  ['values/1', { run: valuesOf, signatures: ['values(list): list', 'values(map): list'] }],
  ['get/3', { run: getOf, signatures: ['get(map, string, dyn): dyn'] }],
  ['index_of/2', { run: indexOf, signatures: ['index_of(list, dyn): int'] }],
  ['sum/1', { run: sumOf, signatures: ['sum(list): double'] }],
  ['mean/1', { run: meanOf, signatures: ['mean(list): double'] }],
  ['min/1', { run: extremeOf(Math.min), signatures: ['min(list): double'] }],
  ['max/1', { run: extremeOf(Math.max), signatures: ['max(list): double'] }],
  ['ratio/2', { run: (_, a, b) => ratio(numberOf(a), numberOf(b)), signatures: ['ratio(dyn, dyn): double'] }],
  ['epoch_seconds/1', { run: secondsOf, signatures: ['epoch_seconds(string): double'] }],
  number('abs', Math.abs),
  number('floor', Math.floor),
  number('ceil', Math.ceil),
  number('sqrt', Math.sqrt),
  number('log', Math.log),
  number('exp', Math.exp),
]);

const text = (name: string, run: (value: string, other: string) => JsonValue): [string, Run] => [
  name,
  (frame, value, other) => {
    const part = name.endsWith('/0') ? '' : stringOf(other);
    const whole = stringOf(value);
    // A search may have to compare every place of one with every place of the other.
    spend(frame, 4 + Math.floor((whole.length * (part.length + 1)) / 16));
    return run(whole, part);
  },
];

/** Called behind a dot: `name.startsWith("a")`. All of them are CEL's own. */
export const METHODS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['size/0', sizeOf],
  text('contains/1', (value, other) => value.includes(other)),
  text('startsWith/1', (value, other) => value.startsWith(other)),
  text('endsWith/1', (value, other) => value.endsWith(other)),
  text('lowerAscii/0', (value) => value.toLowerCase()),
  text('upperAscii/0', (value) => value.toUpperCase()),
  text('trim/0', (value) => value.trim()),
]);

/** As in Python, true and false are 1 and 0 where numbers are added up. */
function numberOf(value: JsonValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw new ExpressionError(`${kindOf(value)} is no number`);
}

function stringOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  throw new ExpressionError(`${kindOf(value)} is no text`);
}

function doubleOf(frame: Frame, value: JsonValue): number {
  if (typeof value !== 'string') return numberOf(value);
  spend(frame, 8 + (value.length >>> 2));
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(value)) return Number(value);
  throw new ExpressionError(`${JSON.stringify(value.slice(0, 40))} is no number`);
}

function textOf(frame: Frame, value: JsonValue): string {
  spend(frame, 8);
  if (typeof value === 'object') throw new ExpressionError(`${kindOf(value)} cannot be made a text`);
  return String(value);
}

function sizeOf(frame: Frame, value: JsonValue): number {
  if (typeof value !== 'string') return elementsOf(frame, value).length;
  spend(frame, value.length >>> 2);
  return value.length - (value.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0); // code points
}

function valuesOf(frame: Frame, value: JsonValue): readonly JsonValue[] {
  if (isList(value)) return value;
  if (!isMap(value)) throw new ExpressionError(`${kindOf(value)} has no values`);
  return keysOf(frame, value).map((key) => value[key] ?? null);
}

/** The default stands for what is missing; null is not missing. */
function getOf(_: Frame, map: JsonValue, key: JsonValue, otherwise: JsonValue): JsonValue {
  if (typeof key !== 'string') throw new ExpressionError(`${kindOf(key)} is no key: keys are texts`);
  if (!isMap(map)) throw new ExpressionError(`${kindOf(map)} has no ${JSON.stringify(key.slice(0, 80))}`);
  const value = memberOf(map, key);
  return value === undefined ? otherwise : value;
}

/** Place of a value in a list, from 0; -1 where it is not in it. */
function indexOf(frame: Frame, list: JsonValue, value: JsonValue): number {
  const elements = elementsOf(frame, list);
  spend(frame, elements.length);
  return elements.findIndex((element) => isEqual(element, value, frame));
}

/** In the order of the list: the last bit of a sum depends on it. */
function sumOf(frame: Frame, list: JsonValue): number {
  const elements = elementsOf(frame, list);
  spend(frame, elements.length);
  let total = 0;
  for (const element of elements) total += numberOf(element);
  return total;
}

function meanOf(frame: Frame, list: JsonValue): number {
  return ratio(sumOf(frame, list), elementsOf(frame, list).length);
}

/** 0 for an empty list. */
function extremeOf(choose: (a: number, b: number) => number): Run {
  return (frame, list) => {
    const elements = elementsOf(frame, list);
    spend(frame, elements.length);
    if (elements.length === 0) return 0;
    let best = numberOf(elements[0] ?? null);
    for (const element of elements) best = choose(best, numberOf(element));
    return best;
  };
}

/** 0 unless the divisor is above 0. */
function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** Seconds since 1970; a time without a zone is UTC. */
function secondsOf(frame: Frame, value: JsonValue): number {
  spend(frame, 100);
  const [, date = '', time = '00:00', zone = 'Z'] = typeof value === 'string' ? (ISO.exec(value) ?? []) : [];
  const milliseconds = Date.parse(`${date}T${time}${zone}`);
  if (!Number.isNaN(milliseconds) && isDate(date)) return milliseconds / 1000;
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new ExpressionError(`${shown} is no ISO 8601 time`);
}

/** The language's own reader takes the 31st of February for the 2nd of March. */
function isDate(date: string): boolean {
  return new Date(`${date}T00:00Z`).toISOString().startsWith(date);
}
