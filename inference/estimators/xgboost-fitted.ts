// XGBoost's scikit-learn classes, and boosters, in a pickle: attributes around the bytes of a booster.
import { ByteReader } from '../formats/byte-reader.ts';
import { Allowance, Section } from '../formats/document.ts';
import { Instance, type Value } from '../formats/pickle-value.ts';
import { readUbjson } from '../formats/ubjson.ts';
import { ModelError } from '../model/errors.ts';
import { type Encodings, encodedIn } from './encodings.ts';
import type { InputNotes } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Booster, inputOfBooster, readBooster } from './xgboost-model.ts';
import { type XgboostPart, partOf } from './xgboost-part.ts';

const BOOSTER = 'xgboost.core.Booster';
const WRAPPERS = ['XGBClassifier', 'XGBRegressor', 'XGBRanker', 'XGBRFClassifier', 'XGBRFRegressor'];
export const XGBOOST_NAMES: readonly string[] = [...WRAPPERS.map((name) => `xgboost.sklearn.${name}`), BOOSTER];

/** The features that the booster inside was trained on. Throws ModelError. */
export function inputOfXgboost(fitted: Fitted): InputNotes {
  return inputOfBooster(modelOf(fitted));
}

/** Throws ModelError. */
export function readXgboost(fitted: Fitted): XgboostPart {
  const isWrapped = fitted.path !== BOOSTER;
  const booster = readBooster(modelOf(fitted), (bytes) => fitted.reading.spend(bytes), isWrapped);
  if (booster.features !== fitted.columns)
    throw fitted.damaged(`of ${booster.features} features for ${fitted.columns}`);
  const missing = isWrapped && fitted.isSet('missing') ? fitted.number('missing') : NaN;
  const part = partOf(withEncodings(booster, fitted), missing);
  return isWrapped ? { ...part, modelType: fitted.name, ...answersOf(fitted, booster) } : part;
}

function withEncodings(booster: Booster, fitted: Fitted): Booster {
  const encodings: Encodings = { ...booster.encodings, encodings: encodedIn(fitted, booster.encodings) };
  return { ...booster, encodings };
}

/**
 * The class decides what the sums are used for: XGBRegressor may predict the probability of an objective of classes. The classes of XGBClassifier are numbered from 0 on,
 * as it asks for in training.
 */
function answersOf(fitted: Fitted, { objective }: Booster): Partial<XgboostPart> {
  if (fitted.name.endsWith('Classifier')) {
    if (objective.task !== 'classifier') throw fitted.unsupported('of an objective that is not for classes');
    return {};
  }
  const isOne = objective.link !== 'softmax' && objective.link !== 'sign';
  if (isOne) return { task: fitted.name.endsWith('Ranker') ? 'ranker' : 'regressor', classes: [] };
  throw fitted.unsupported('of an objective of classes: save an XGBClassifier');
}

/** The model among the bytes of a booster, which hold its settings too. */
function modelOf(fitted: Fitted): Section {
  if (fitted.path !== BOOSTER && !fitted.isSet('_Booster')) {
    throw fitted.unsupported('is not fitted: call fit before saving it');
  }
  const booster = fitted.path === BOOSTER ? fitted : fitted.helper('_Booster', [BOOSTER]);
  const bytes = bytesOf(booster.value('handle'));
  if (bytes === undefined) throw fitted.damaged('without the bytes of its booster');
  if (bytes[0] !== 0x7b) throw oldBytes();
  const document = new Section(readUbjson(new ByteReader(bytes), new Allowance(fitted.reading.maxBytes)), '');
  return document.has('Model') ? document.section('Model') : document;
}

/** Bytes, or the bytearray that older protocols make of bytes or of text. */
function bytesOf(value: Value): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (!(value instanceof Instance) || !value.callable.path.endsWith('.bytearray')) return undefined;
  const [content] = value.args;
  if (content instanceof Uint8Array) return content;
  return typeof content === 'string' ? new Uint8Array(Buffer.from(content, 'latin1')) : undefined;
}

function oldBytes(): ModelError {
  return new ModelError(
    'UnsupportedModel',
    "a booster in XGBoost's old binary format (1.5 or older): load it with that XGBoost, and save the booster as model.json or model.ubj",
  );
}
