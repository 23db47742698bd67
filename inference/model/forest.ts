// RandomForestClassifier as scikit-learn pickles it (tried: 1.2 to 1.9) into flat trees. Facts that differ between versions
// are read from the file where it states them, not guessed from the version number.
import { ModelError } from './errors.ts';
import type { ClassLabel, ModelData } from './model-data.ts';
import { arrayOf, elementsOf, intOf, notAModel } from './numpy.ts';
import { Instance, Tuple, type Value, described } from './pickle-value.ts';
import {
  type ForestShape,
  type TreeColumns,
  checkStructure,
  checkValues,
  holdsFractions,
  readTree,
} from './sklearn-tree.ts';
import { type Trees, TreesBuilder, bytesOfTree } from './trees.ts';

const MAX_FEATURES = 100_000;
const MAX_CLASSES = 10_000;

type Attributes = ReadonlyMap<Value, Value>;

/** Reads a fitted forest. `maxBytes` bounds the finished arrays. Throws ModelError. */
export function readForest(value: Value, maxBytes: number): ModelData {
  const state = attributesOf(value, 'forest', 'save the fitted RandomForestClassifier itself');
  const shape = shapeOfForest(state);
  const names = state.get('feature_names_in_');
  const writtenBy = state.get('_sklearn_version');
  return {
    modelType: 'RandomForestClassifier',
    features: shape.features,
    ...(names !== undefined && { featureNames: featureNames(names, shape.features) }),
    classes: classLabels(state.get('classes_'), shape.classes),
    ...(typeof writtenBy === 'string' && { writtenBy: writtenBy.slice(0, 40) }),
    trees: treesOf(state, shape, maxBytes),
  };
}

function attributesOf(value: Value | undefined, role: 'forest' | 'decisionTree', advice: string): Attributes {
  if (!(value instanceof Instance) || value.callable.role !== role) {
    throw new ModelError('UnsupportedModel', `the file holds ${described(value)}: ${advice}`);
  }
  if (!(value.state instanceof Map)) throw notAModel(`${described(value)} without attributes`);
  return value.state;
}

function shapeOfForest(state: Attributes): ForestShape {
  if (!state.has('estimators_')) {
    throw new ModelError('UnsupportedModel', 'RandomForestClassifier is not fitted: call fit before saving it');
  }
  if (!state.has('n_features_in_')) {
    throw new ModelError(
      'UnsupportedModel',
      'written by scikit-learn before 1.0: load it and save it again with 1.2 or newer',
    );
  }
  if (intOf(state.get('n_outputs_')) !== 1) {
    throw new ModelError('UnsupportedModel', 'RandomForestClassifier with several outputs: train one model per output');
  }
  const features = intOf(state.get('n_features_in_'));
  const classes = intOf(state.get('n_classes_'));
  if (features < 1 || features > MAX_FEATURES) throw notAModel(`a forest of ${features} features`);
  if (classes < 1 || classes > MAX_CLASSES) throw notAModel(`a forest of ${classes} classes`);
  return { features, classes };
}

function featureNames(value: Value, count: number): readonly string[] {
  const names = elementsOf(arrayOf(value)).filter((name) => typeof name === 'string');
  if (names.length !== count) throw notAModel(`feature_names_in_ with ${names.length} names for ${count} features`);
  return names;
}

function classLabels(value: Value | undefined, count: number): readonly ClassLabel[] {
  const labels = elementsOf(arrayOf(value));
  if (labels.length !== count || new Set(labels).size !== count)
    throw notAModel(`classes_ does not name ${count} classes`);
  const exact = labels.every((label) => typeof label !== 'number' || Math.abs(label) <= Number.MAX_SAFE_INTEGER);
  if (!exact)
    throw new ModelError('UnsupportedModel', 'class labels beyond 2^53, NaN or infinite: use smaller numbers or text');
  return labels;
}

/** Monotonic constraints: node values are clipped to keep them. */
function isConstrained(state: Attributes): boolean {
  return (state.get('monotonic_cst') ?? null) !== null;
}

/**
 * scikit-learn's forests take NaN from 1.4 on, with monotonic constraints from 1.9 on. Only here does the version decide: 1.3
 * writes directions for missing values and refuses them nevertheless.
 */
function acceptsMissing(state: Attributes): boolean {
  const writtenBy = state.get('_sklearn_version');
  const version = /^(\d+)\.(\d+)/.exec(typeof writtenBy === 'string' ? writtenBy : '');
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  return major > 1 || (major === 1 && minor >= (isConstrained(state) ? 9 : 4));
}

function treesOf(state: Attributes, shape: ForestShape, maxBytes: number): Trees {
  const estimators = state.get('estimators_');
  const items = estimators instanceof Tuple ? estimators.items : estimators;
  if (!Array.isArray(items) || items.length === 0) throw notAModel('a forest without trees');
  const trees: TreeColumns[] = [];
  let bytes = 0;
  for (const item of items as readonly Value[]) {
    const tree = readTree(
      attributesOf(item, 'decisionTree', 'only decision trees may be in a forest').get('tree_'),
      shape,
    );
    // counted while reading: a small file can name the same large tree many times
    bytes += bytesOfTree(tree.count, shape.classes);
    if (bytes > maxBytes)
      throw new ModelError('ArtifactTooLarge', `the trees take more than ${maxBytes} bytes; use fewer trees`);
    checkStructure(tree, shape);
    trees.push(tree);
  }
  return flatten(trees, state, shape);
}

function flatten(trees: readonly TreeColumns[], state: Attributes, shape: ForestShape): Trees {
  // decided on all nodes of all trees: the root alone is fooled by sample weights that add up to 1
  const fractions = trees.every((tree) => holdsFractions(tree, shape.classes));
  const clipped = isConstrained(state);
  const missing = acceptsMissing(state) && trees.every((tree) => tree.missingLeft !== undefined);
  const nodes = trees.reduce((sum, tree) => sum + tree.count, 0);
  const builder = new TreesBuilder({ trees: trees.length, nodes, classes: shape.classes, acceptsMissing: missing });
  for (const tree of trees) {
    checkValues(tree, shape.classes, fractions, clipped);
    builder.add(tree, fractions);
  }
  return builder.built;
}
