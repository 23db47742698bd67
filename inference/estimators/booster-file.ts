// Files of boosters: XGBoost's JSON and UBJSON, LightGBM's text. Which of them a file is, its first bytes tell; its ending only says that it is one.
import { ByteReader } from '../formats/byte-reader.ts';
import { Allowance, type Json, Section } from '../formats/document.ts';
import { readJson } from '../formats/json.ts';
import { type LightgbmText, readLightgbmText } from '../formats/lightgbm-text.ts';
import { readUbjson } from '../formats/ubjson.ts';
import { ModelError } from '../model/errors.ts';
import type { ModelData } from '../model/model-data.ts';
import { partOf as lightgbmPart } from './lightgbm-part.ts';
import { readLightgbm } from './lightgbm-model.ts';
import { partOf as xgboostPart } from './xgboost-part.ts';
import { readBooster } from './xgboost-model.ts';

/** Endings that these libraries and the servers of their models use. */
export const BOOSTER_FILES = /\.(json|ubj|bst|txt)$/i;

/** Reads a booster of at most `maxBytes`. Throws ModelError. */
export function readBoosterFile(bytes: Uint8Array, maxBytes: number): ModelData {
  if (bytes.length > maxBytes) throw new ModelError('ArtifactTooLarge', `the file is larger than ${maxBytes} bytes`);
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  const reader = new ByteReader(bytes);
  const allowance = new Allowance(maxBytes);
  if (/^\s*\{\s*"/.test(start)) return xgboostOf(readJson(reader, allowance), maxBytes);
  if (/^\{[LlIiU$#]/.test(start)) return xgboostOf(readUbjson(reader, allowance), maxBytes);
  if (/^tree\r?\n/.test(start)) return lightgbmOf(readLightgbmText(reader.utf8(bytes.length), allowance), maxBytes);
  if (start.startsWith('binf') || start.startsWith('CONFIG-offset:')) throw oldFormat();
  throw new ModelError('UnsupportedModel', 'the file is neither XGBoost JSON or UBJSON nor LightGBM text');
}

function oldFormat(): ModelError {
  return new ModelError(
    'UnsupportedModel',
    "XGBoost's old binary format: load it with the XGBoost that wrote it, and save it as model.json or model.ubj",
  );
}

function xgboostOf(value: Json, maxBytes: number): ModelData {
  const document = new Section(value, '');
  const attributes = document.section('learner').section('attributes');
  // a file of XGBClassifier answers as XGBClassifier does: up to the best iteration, with its own sign for a missing value
  const wrapper = attributes.has('scikit_learn') ? attributes.text('scikit_learn') : undefined;
  const booster = readBooster(document, spending(maxBytes), wrapper !== undefined);
  return {
    features: booster.features,
    ...(booster.featureNames && { featureNames: booster.featureNames }),
    texts: booster.encodings.texts,
    writtenBy: `XGBoost ${booster.version}`,
    root: xgboostPart(booster, missingOf(wrapper)),
  };
}

function lightgbmOf(text: LightgbmText, maxBytes: number): ModelData {
  const booster = readLightgbm(text, spending(maxBytes));
  return {
    features: booster.features,
    ...(booster.featureNames && { featureNames: booster.featureNames }),
    texts: booster.texts,
    writtenBy: `LightGBM, format ${booster.format}`,
    root: lightgbmPart(booster),
  };
}

function missingOf(wrapper = ''): number {
  return Number(/"missing": ([^,}]+)/.exec(wrapper)?.[1] ?? NaN);
}

/** Counts memory of finished arrays. */
function spending(maxBytes: number): (bytes: number) => void {
  let spent = 0;
  return (bytes) => {
    spent += bytes;
    if (spent > maxBytes) throw new ModelError('ArtifactTooLarge', `the model takes more than ${maxBytes} bytes`);
  };
}
