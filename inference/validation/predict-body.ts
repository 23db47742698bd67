// The body of POST /predict: read and checked by hand in one pass, because a schema library costs more than the prediction. What is wrong is told in
// the words of FastAPI 0.104 and pydantic 2.5. Where Python's service dies (NaN in a refused body cannot be echoed: 500) we answer 422 with null.
import { datetimeProblem } from './datetime.ts';
import { JsonDepthError, JsonError, MAX_DEPTH, isReordered, parsePythonJson } from './python-json.ts';
import type { JsonObject, JsonValue } from './python-json.ts';

/** One entry of `detail` in a 422 answer. */
export interface Issue {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: JsonValue;
  readonly ctx?: { readonly error: string; readonly feature?: string };
  readonly url?: string;
}

export interface PredictRequest {
  /** Item id → item; the items themselves are checked while features are computed, as in Python. */
  readonly items: JsonObject;
  readonly hasCustomer: boolean;
  readonly hasStore: boolean;
}

/** 422: `detail` of the answer. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super('The request body is not valid');
    this.issues = issues;
  }
}

/** 400: not even text (or nested beyond all bounds), so that there is nothing to point at. */
export class UnreadableBodyError extends Error {
  override readonly name = 'UnreadableBodyError';

  constructor(options?: ErrorOptions) {
    super('There was an error parsing the body', options);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a request. Throws ValidationError (422) or UnreadableBodyError (400). */
export function parsePredictRequest(body: Uint8Array | undefined, contentType: string | undefined): PredictRequest {
  if (body === undefined || body.length === 0) throw new ValidationError([issue('missing', [], null)]);
  const text = decode(body);
  const json = isJson(contentType);
  const value = json ? parseJson(text) : text;
  if (!isObject(value) || !hasValidFields(value)) {
    // Read again: Python's depth limit protects the echo of the input, which JSON.stringify writes recursively.
    throw new ValidationError(issuesOf(json ? parseAsPython(text) : text));
  }
  const { basket_items: items, customer_id: customer, store_id: store } = value;
  return {
    items: isObject(items) ? withKeyOrder(items, text) : {},
    hasCustomer: typeof customer === 'string' && customer !== '',
    hasStore: typeof store === 'string' && store !== '',
  };
}

/** Reads any JSON object. Throws ValidationError (422) or UnreadableBodyError (400). */
export function parseObject(body: Uint8Array | undefined, contentType: string | undefined): JsonObject {
  if (body === undefined || body.length === 0) throw new ValidationError([issue('missing', [], null)]);
  const text = decode(body);
  if (!isJson(contentType)) throw new ValidationError(issuesOf(text));
  const value = parseJson(text);
  if (!isObject(value)) throw new ValidationError(issuesOf(parseAsPython(text)));
  if (!MAY_BE_REORDERED.test(text)) return value;
  const ordered = parseAsPython(text);
  return isObject(ordered) ? ordered : value;
}

/** A key that JavaScript would move, written plainly or with escapes. */
const MAY_BE_REORDERED = /"[0-9]{1,10}"\s*:|\\u003/;

/** The common case: allocates nothing for a body that is right. */
function hasValidFields(value: JsonObject): boolean {
  const { basket_items: items, customer_id: customer, store_id: store, timestamp } = value;
  if (!isObject(items) || !isText(customer) || !isText(store)) return false;
  return timestamp == null || timestampIssues(timestamp).length === 0;
}

function issuesOf(value: JsonValue): Issue[] {
  if (value === null) return [issue('missing', [], value)];
  if (!isObject(value)) return [issue('model_attributes_type', [], value)];
  const issues: Issue[] = [];
  const { basket_items: items } = value;
  if (items === undefined) issues.push(issue('missing', ['basket_items'], value));
  else if (!isObject(items)) issues.push(issue('dict_type', ['basket_items'], items));
  for (const field of ['customer_id', 'store_id']) {
    const given = value[field];
    if (!isText(given)) issues.push(issue('string_type', [field], given));
  }
  return [...issues, ...timestampIssues(value['timestamp'])];
}

function timestampIssues(value: JsonValue | undefined): Issue[] {
  if (value == null) return [];
  if (typeof value !== 'string' && typeof value !== 'number') return [issue('datetime_type', ['timestamp'], value)];
  const error = datetimeProblem(value);
  return error === undefined ? [] : [issue('datetime_parsing', ['timestamp'], value, error)];
}

/** JavaScript lists numeric keys first: a basket that has them is read again, since sums follow the order of the entries. */
function withKeyOrder(items: JsonObject, text: string): JsonObject {
  let count = 0;
  for (const key in items) {
    if (count === 0 && !isReordered(key)) return items;
    count += 1;
    if (count > 1) break;
  }
  if (count < 2) return items;
  const again = parsePythonJson(text);
  const ordered = isObject(again) ? again['basket_items'] : undefined;
  return isObject(ordered) ? ordered : items;
}

function parseJson(text: string): JsonValue {
  if (mayBeTooDeep(text)) return parseAsPython(text);
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return parseAsPython(text);
  }
}

/** Whether `text` has enough open brackets at some point; those within strings count too, so the answer "yes" needs a second look. */
function mayBeTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at) | 0x20; // '[' and '{', ']' and '}' differ in this bit alone
    if (code === 0x7b) depth += 1;
    else if (code === 0x7d) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function parseAsPython(text: string): JsonValue {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof JsonDepthError) throw new UnreadableBodyError({ cause: error });
    if (!(error instanceof JsonError)) throw error;
    const { position, message } = error;
    throw new ValidationError([
      { type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error', input: {}, ctx: { error: message } },
    ]);
  }
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw new UnreadableBodyError({ cause: error });
  }
}

/** FastAPI's rule: no content type, application/json, or application/…+json. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === 'application/json' || contentType === '') return true;
  return /^application\/(?:[^;\s]*\+)?json\s*(?:;|$)/i.test(contentType.trim());
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: JsonValue | undefined): value is string | null | undefined {
  return value == null || typeof value === 'string';
}

const MESSAGES = {
  missing: 'Field required',
  model_attributes_type: 'Input should be a valid dictionary or object to extract fields from',
  dict_type: 'Input should be a valid dictionary',
  string_type: 'Input should be a valid string',
  datetime_type: 'Input should be a valid datetime',
  datetime_parsing: 'Input should be a valid datetime',
} as const;

function issue(type: keyof typeof MESSAGES, path: readonly string[], input: JsonValue, error?: string): Issue {
  return {
    type,
    loc: ['body', ...path],
    msg: error === undefined ? MESSAGES[type] : `${MESSAGES[type]}, ${error}`,
    input,
    ...(error !== undefined && { ctx: { error } }),
    url: `https://errors.pydantic.dev/2.5/v/${type}`,
  };
}
