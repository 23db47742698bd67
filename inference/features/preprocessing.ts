// A row from any JSON body, by the expressions of metadata.json. They are read, checked and compiled when the model is loaded.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { compile } from '../expressions/compile.ts';
import type { Scope } from '../expressions/compile.ts';
import { ExpressionError, MAX_STEPS, kindOf } from '../expressions/frame.ts';
import type { Evaluate, Frame } from '../expressions/frame.ts';
import { ExpressionParser, ExpressionSyntaxError } from '../expressions/parse.ts';
import type { Parsed } from '../expressions/parse.ts';
import { LoadError } from '../load-error.ts';
import type { Model } from '../model/model.ts';
import type { JsonObject } from '../validation/python-json.ts';
import { cellOf } from './cell.ts';
import { FeatureError } from './errors.ts';

/** The expressions of metadata.json, in the order of the file. */
export interface Expressions {
  /** Values that those behind them may name. */
  readonly let: ReadonlyMap<string, string>;
  readonly features: ReadonlyMap<string, string>;
}

export interface Preprocessing {
  /** Writes the row of one body and returns it; the array is reused by the next call. Throws FeatureError. */
  readonly rowOf: (body: JsonObject) => Float64Array;
}

interface Step {
  readonly place: string;
  readonly evaluate: Evaluate;
}

/** All expressions of a model together. */
const MAX_LENGTH = 128 * 1024;
const NUMBERS = ['double', 'int', 'bool', 'null', 'dyn'];
const TEXTS = ['string', 'null', 'dyn'];

/**
 * Requests get their turn between one expression and the next.
 * @param names the model's columns in order: each has its expression, and there are no others
 * Throws LoadError ArtifactInvalid that names the feature.
 */
export async function compilePreprocessing(
  expressions: Expressions,
  names: readonly string[],
  model: Pick<Model, 'texts'>,
): Promise<Preprocessing> {
  checkNames(expressions, names);
  const parser = new ExpressionParser();
  parser.declare('body', 'map');
  const places = new Map([['body', 0]]);
  const values: Step[] = [];
  for (const [name, text] of expressions.let) {
    const place = `let.${name}`;
    const { evaluate, type } = compiled(parser, place, text, places);
    declare(parser, place, name, type);
    places.set(name, places.size);
    values.push({ place, evaluate });
    await yieldToRequests();
  }
  const features: Step[] = [];
  for (const [column, name] of names.entries()) {
    const place = `features.${name}`;
    const { evaluate, type } = compiled(parser, place, expressions.features.get(name) ?? '', places);
    const takesText = model.texts.has(column);
    if (!(takesText ? TEXTS : NUMBERS).includes(type)) {
      throw invalid(place, `it gives ${type}, the model takes ${takesText ? 'text' : 'numbers'}`);
    }
    features.push({ place, evaluate });
    await yieldToRequests();
  }
  return preprocessing(values, features, model);
}

function checkNames({ let: named, features }: Expressions, names: readonly string[]): void {
  if (names.length === 0) throw invalid('', '"features" of metadata.json must list the columns of the model');
  const missing = names.find((name) => !features.has(name));
  if (missing !== undefined) throw invalid(`features.${missing}`, 'it has no expression');
  const unknown = [...features.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`features.${unknown}`, 'it is not in "features" of metadata.json');
  const length = [...named.values(), ...features.values()].reduce((sum, text) => sum + text.length, 0);
  if (length > MAX_LENGTH) throw invalid('', `all expressions together have more than ${MAX_LENGTH} characters`);
}

function compiled(parser: ExpressionParser, place: string, text: string, places: Scope['places']) {
  try {
    const { node, type }: Parsed = parser.parse(text);
    return { type, evaluate: compile(node, { places, next: places.size, parts: { count: 0 } }) };
  } catch (error) {
    throw blamed(place, error);
  }
}

function declare(parser: ExpressionParser, place: string, name: string, type: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(place, 'a name has letters, digits and _ only');
  try {
    parser.declare(name, type);
  } catch (error) {
    throw blamed(place, error);
  }
}

function preprocessing(values: readonly Step[], features: readonly Step[], model: Pick<Model, 'texts'>): Preprocessing {
  const row = new Float64Array(features.length);
  const frame: Frame = { slots: [], steps: 0 };
  return {
    rowOf(body) {
      frame.steps = MAX_STEPS;
      frame.slots[0] = body;
      for (const [at, step] of values.entries()) frame.slots[at + 1] = run(step, frame);
      for (const [column, step] of features.entries()) {
        const value = run(step, frame);
        const cell = cellOf(model, column, value);
        if (cell === undefined) {
          throw new FeatureError(step.place, `${kindOf(value)} is no ${model.texts.has(column) ? 'text' : 'number'}`);
        }
        row[column] = cell;
      }
      return row;
    },
  };
}

function run({ place, evaluate }: Step, frame: Frame) {
  try {
    return evaluate(frame);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new FeatureError(place, error.message, { cause: error });
  }
}

function blamed(place: string, error: unknown): unknown {
  return error instanceof ExpressionSyntaxError ? invalid(place, error.message, error) : error;
}

function invalid(place: string, why: string, cause?: unknown): LoadError {
  const at = place === '' ? 'preprocessing' : `preprocessing.${place.slice(0, 200)}`;
  return new LoadError('ArtifactInvalid', `metadata.json is not usable: ${at}: ${why}`, { cause });
}
