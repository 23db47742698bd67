// Building blocks of the resource's schema: strings counted and matched as the API server does it, and CEL rules with messages for people.
import * as z from 'zod';

/** One CEL rule of `x-kubernetes-validations`; `message` says what to do. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Metadata that puts CEL rules on the field it is given to. */
export function rules(...list: Rule[]) {
  return { 'x-kubernetes-validations': list };
}

export const mapByName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
export const atomicList = { 'x-kubernetes-list-type': 'atomic' };
export const atomicMap = { 'x-kubernetes-map-type': 'atomic' };

/**
 * A string of `min` to `max` characters. The API server counts code points, zod's own `max` UTF-16 units: an emoji would be one here and two there.
 */
export function text(max: number, min = 0) {
  const schema = z
    .string()
    .refine(
      (value) => within(Array.from(value).length, min, max),
      `must have ${min === 0 ? 'at most' : `${min} to`} ${max} characters`,
    );
  return schema.meta({ maxLength: max, ...(min > 0 && { minLength: min }) });
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/**
 * A string that must match `pattern`, refused with `message` here and by the API server. The rule is CEL and not `pattern`, since the API server
 * answers a failed pattern with the regular expression alone. `also` are further CEL conditions on `self`, evaluated once the pattern holds.
 */
export function matching(max: number, pattern: RegExp, message: string, also: readonly string[] = []) {
  const rule = [`self.matches(r'${pattern.source.replaceAll('\\/', '/')}')`, ...also].join(' && ');
  return text(max)
    .refine((value) => pattern.test(value), message)
    .meta(rules({ rule, message }));
}

/** Like Kubernetes' own durations, whole numbers only: `90s`, `1h30m`. Bounds are durations too and inclusive. */
export function duration(field: string, min: string, max: string) {
  return matching(
    32,
    /^([0-9]{1,5}(h|m|s|ms))+$/,
    `${field} must be a duration from ${min} to ${max}, such as 30s, 5m or 1h30m`,
    [`duration(self) >= duration('${min}')`, `duration(self) <= duration('${max}')`],
  );
}

/** A whole number that fits Kubernetes' int32. */
export function int32(min: number, max: number) {
  return z.int().min(min).max(max).meta({ format: 'int32' });
}

/** Name of another object of the same namespace. */
export function objectName(what: string) {
  return matching(
    253,
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    `${what} must be the name of an object: lower-case letters, digits, '-' and '.'`,
  );
}

/** A map of strings with at most `entries` entries; keys are Kubernetes' qualified names. */
export function stringMap<V extends z.ZodType>(entries: number, value: V) {
  const bounded = (map: object) => Object.keys(map).length <= entries;
  return z
    .record(z.string(), value)
    .refine(bounded, `must have at most ${entries} entries`)
    .meta({ maxProperties: entries });
}

/**
 * A quantity of Kubernetes: `500m`, `2Gi`, or a bare whole number, as people write `nvidia.com/gpu: 1`. Read as a string.
 * The only int-or-string of the schema; such a field takes a pattern but no CEL within the cost limit.
 */
export function quantity() {
  const pattern = /^[0-9]{1,12}(\.[0-9]{1,6})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/;
  return z
    .union([z.int().min(0), z.string()])
    .transform(String)
    .refine((value) => pattern.test(value), 'must be a quantity such as 500m, 2 or 4Gi')
    .meta({ 'x-kubernetes-int-or-string': true, minimum: 0, pattern: pattern.source });
}
