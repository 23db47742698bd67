// The categories that XGBoost 3.1 and newer keep in the file: which value of the training table each number stands for. Files of older versions have numbers only.
import { type Section, damagedDocument } from '../formats/document.ts';
import { ModelError, ModelInputError } from '../model/errors.ts';
import type { Encoding, Encodings } from './encodings.ts';

const MAX_CATEGORIES = 2 ** 24;
const NONE: Encodings = { encodings: [], texts: new Map() };

/** Reads `cats` of a model over `features` columns. Throws ModelError. */
export function readEncodings(model: Section, features: number): Encodings {
  if (!model.has('cats')) return NONE;
  const sections = model.section('cats').sections('enc');
  if (sections.length === 0) return NONE;
  if (sections.length !== features) throw damagedDocument(`categories of ${sections.length} columns for ${features}`);
  const texts = new Map<number, readonly string[]>();
  const encodings: Encoding[] = [];
  for (const [column, section] of sections.entries()) {
    const values = section.numbers('values');
    if (section.has('offsets')) {
      const found = textsOf(section.numbers('offsets'), values);
      if (found.length > 0) texts.set(column, found);
      if (found.length > 0) encodings.push({ column });
    } else if (values.length > 0) {
      encodings.push({ column, values });
    }
  }
  return { encodings, texts };
}

/** Texts one after the other, and where each starts and ends. */
function textsOf(offsets: Float64Array, bytes: Float64Array): readonly string[] {
  if (offsets.length > MAX_CATEGORIES || !bytes.every((byte) => Number.isInteger(byte) && byte >= -128 && byte < 256)) {
    throw damagedDocument('categories that are no texts');
  }
  if (offsets.length > 0 && bytes.some((byte) => byte < 0 || byte > 127)) throw cutTexts();
  const all = Buffer.from(bytes).toString('latin1');
  const texts = Array.from({ length: Math.max(0, offsets.length - 1) }, (_, at) => {
    const [start = NaN, end = NaN] = offsets.subarray(at, at + 2);
    if (!(start >= 0 && end >= start && end <= all.length)) throw damagedDocument('categories beyond their texts');
    return all.slice(start, end);
  });
  if (new Set(texts).size === texts.length) return texts;
  throw damagedDocument('a category twice');
}

/** XGBoost counts characters where it writes bytes (seen in 3.2): the texts cannot be told apart any more. */
function cutTexts(): ModelError {
  return new ModelError(
    'UnsupportedModel',
    'XGBoost writes categories with letters beyond ASCII only in part: rename them, or train with numbers for categories',
  );
}

/** What is done with an unknown category, as XGBoost does it. */
export function refuseUnknown(column: number): never {
  throw new ModelInputError(`Found a category not in the training set for column ${column}.`);
}
