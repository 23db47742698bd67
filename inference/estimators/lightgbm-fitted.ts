// LightGBM's scikit-learn classes, and boosters, in a pickle: attributes around the text of a booster.
import { Allowance, type Json } from '../formats/document.ts';
import { type LightgbmText, readLightgbmText } from '../formats/lightgbm-text.ts';
import { numberOf } from '../formats/numpy.ts';
import type { Value } from '../formats/pickle-value.ts';
import { encodedIn } from './encodings.ts';
import type { InputNotes } from './estimator.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import { type LightgbmBooster, inputOfLightgbmText, readLightgbm } from './lightgbm-model.ts';
import { type LightgbmPart, partOf } from './lightgbm-part.ts';

const BOOSTER = 'lightgbm.basic.Booster';
const WRAPPERS = ['LGBMClassifier', 'LGBMRegressor', 'LGBMRanker'];
export const LIGHTGBM_NAMES: readonly string[] = [...WRAPPERS.map((name) => `lightgbm.sklearn.${name}`), BOOSTER];

/** The features that the booster inside was trained on. Throws ModelError. */
export function inputOfLightgbm(fitted: Fitted): InputNotes {
  return inputOfLightgbmText(textOf(fitted, boosterOf(fitted)));
}

/** Throws ModelError. */
export function readFittedLightgbm(fitted: Fitted): LightgbmPart {
  const inside = boosterOf(fitted);
  // as Booster.predict has it: all trees where early stopping noted none
  const best = inside.isSet('best_iteration') ? inside.int('best_iteration') : 0;
  const text = textOf(fitted, inside);
  const booster = readLightgbm(text, (bytes) => fitted.reading.spend(bytes), best > 0 ? best : Infinity);
  if (booster.features !== fitted.columns)
    throw fitted.damaged(`of ${booster.features} features for ${fitted.columns}`);
  const part = partOf({ ...booster, encodings: encodedIn(fitted, booster) });
  return fitted === inside ? part : { ...part, modelType: fitted.name, ...answersOf(fitted, booster) };
}

/** The class decides what the sums are used for: LGBMRegressor may predict the probability of an objective of two classes. */
function answersOf(fitted: Fitted, { objective, classes }: LightgbmBooster): Pick<LightgbmPart, 'task' | 'classes'> {
  if (fitted.name === 'LGBMClassifier') {
    if (objective.task !== 'classifier') throw fitted.unsupported('of an objective that is not for classes');
    const labels = fitted.labels('_classes');
    if (labels.length === classes) return { task: 'classifier', classes: labels };
    throw fitted.damaged(`with ${labels.length} classes around a booster of ${classes}`);
  }
  if (classes > 2) throw fitted.unsupported('of an objective of classes: save an LGBMClassifier');
  return { task: fitted.name === 'LGBMRanker' ? 'ranker' : 'regressor', classes: [] };
}

function boosterOf(fitted: Fitted): Fitted {
  if (fitted.path === BOOSTER) return fitted;
  if (!fitted.isSet('_Booster')) throw fitted.unsupported('is not fitted: call fit before saving it');
  return fitted.helper('_Booster', [BOOSTER]);
}

/** The text of a booster, and the categories that are kept beside it. */
function textOf(fitted: Fitted, booster: Fitted): LightgbmText {
  const allowance = new Allowance(fitted.reading.maxBytes);
  const text = readLightgbmText(booster.text(booster.has('_handle') ? '_handle' : 'handle'), allowance);
  const lists = booster.isSet('pandas_categorical') ? booster.list('pandas_categorical') : [];
  return { ...text, pandasCategorical: lists.map((list) => jsonOf(itemsOf(list, 'pandas_categorical'))) };
}

/** As LightGBM writes them into a file. */
function jsonOf(categories: readonly Value[]): Json {
  const items = categories.map((category) => {
    return typeof category === 'string' || typeof category === 'boolean' ? category : numberOf(category);
  });
  return items.every((item) => typeof item === 'number') ? Float64Array.from(items) : items;
}
