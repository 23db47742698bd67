// The fields of a head that decide how a request is answered.
import { BINARY_HEADER, SHADOW_HEADER } from '../monitoring/exchange.ts';

export const OTHER = 0;
export const HOST = 1;
export const LENGTH = 2;
export const TYPE = 3;
export const REQUEST_ID = 4;
export const CONNECTION = 5;
/** Asks for something that a plain request does not. */
const MORE = 6;

/** There is more to do for such a request than to answer it, on whatever short way. */
export const ASKS_FOR_MORE = ['transfer-encoding', 'expect', 'upgrade', 'origin', 'traceparent'] as const;
/** And here the answer is given the type of the body alone: these are read by who takes copies, or by intermediaries. */
const NOT_READ = ['proxy-connection', 'ce-id', SHADOW_HEADER, BINARY_HEADER];

const FIELDS: readonly (readonly [name: string, field: number])[] = [
  ['host', HOST],
  ['content-length', LENGTH],
  ['content-type', TYPE],
  ['x-request-id', REQUEST_ID],
  ['connection', CONNECTION],
  ...[...ASKS_FOR_MORE, ...NOT_READ].map((name) => [name, MORE] as const),
];

/** By the length of the name. */
const BY_LENGTH: { readonly name: Uint8Array; readonly field: number }[][] = [];
for (const [name, field] of FIELDS) (BY_LENGTH[name.length] ??= []).push({ name: Buffer.from(name), field });

/** Which field has the name in `bytes` from `begin` to `end`; `OTHER` for all that do not matter. */
export function fieldOf(bytes: Uint8Array, begin: number, end: number): number {
  const candidates = BY_LENGTH[end - begin];
  if (candidates === undefined) return OTHER;
  for (const { name, field } of candidates) if (isNamed(bytes, begin, name)) return field;
  return OTHER;
}

/** Whether `name`, in small letters, is what begins at `begin`; letters may be of any size. */
export function isNamed(bytes: Uint8Array, begin: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at += 1) if (((bytes[begin + at] ?? 0) | 0x20) !== name[at]) return false;
  return true;
}
