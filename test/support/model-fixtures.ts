// The checked-in models of test/fixtures/models, with the answers that scikit-learn gave.
import { readFileSync, readdirSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ClassLabel } from '../../inference/model/model-data.ts';

const MODELS = new URL('../fixtures/models/', import.meta.url);
const BLOCK = 512;

/** golden.json as test/fixtures/train/artifact.py writes it. */
export interface GoldenAnswers {
  readonly sklearn: string;
  readonly n_features: number;
  readonly classes: readonly ClassLabel[];
  /** null stands for NaN. */
  readonly inputs: readonly (readonly (number | null)[])[];
  readonly predict: readonly ClassLabel[];
  readonly predict_proba: readonly (readonly number[])[];
}

export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Names of all models that have golden answers. */
export function goldenModels(): string[] {
  return readdirSync(MODELS).filter((name) => readdirSync(new URL(`${name}/`, MODELS)).includes('golden.json'));
}

/** The model file of a fixture, taken out of its archive where it is in one. */
export function modelFile(fixture: string): ModelFile {
  const folder = new URL(`${fixture}/`, MODELS);
  const [name = ''] = readdirSync(folder).filter((entry) => entry.startsWith('model.'));
  if (name === 'model.tar.gz') return { name: 'model.joblib', bytes: archived(fixture, 'model.joblib') };
  return { name, bytes: new Uint8Array(readFileSync(new URL(name, folder))) };
}

/** One file of a fixture's model.tar.gz; our archives are plain ustar. */
export function archived(fixture: string, path: string): Uint8Array {
  const tar = gunzipSync(readFileSync(new URL(`${fixture}/model.tar.gz`, MODELS)));
  let at = 0;
  while (at + BLOCK <= tar.length) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    if (name === path) return new Uint8Array(tar.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error(`${fixture} has no ${path}`);
}

export function goldenOf(fixture: string): GoldenAnswers {
  return JSON.parse(readFileSync(new URL(`${fixture}/golden.json`, MODELS), 'utf8')) as GoldenAnswers;
}

/** Golden rows as a model takes them. */
export function rowsOf({ inputs }: GoldenAnswers): Float64Array {
  return Float64Array.from(inputs.flat(), (value) => value ?? NaN);
}
