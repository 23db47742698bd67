// The model of an XGBoost booster, as its JSON and UBJSON have it (schema: doc/model.schema of XGBoost; tried: 1.6 to 3.2).
import { ModelError } from '../model/errors.ts';
import { shown } from '../formats/byte-reader.ts';
import { type Section, damagedDocument } from '../formats/document.ts';
import { type Spend, type Trees, TreesBuilder, bytesOfTree } from './trees.ts';
import type { Encodings } from './encodings.ts';
import type { InputNotes } from './estimator.ts';
import { readEncodings } from './xgboost-categories.ts';
import { OBJECTIVES, type Objective, marginOf } from './xgboost-objective.ts';
import { type XgboostTree, nodesOf, readXgboostTree } from './xgboost-tree.ts';

export interface Booster {
  readonly version: string;
  readonly features: number;
  readonly featureNames?: readonly string[];
  readonly objective: Objective;
  /** Classes of a classifier, else 0. */
  readonly classes: number;
  readonly trees: Trees;
  /** What each column of the sum starts from: float32. */
  readonly margins: Float64Array<ArrayBuffer>;
  /** Columns that hold categories. */
  readonly categorical: readonly number[];
  readonly encodings: Encodings;
}

const MAX_FEATURES = 100_000;
const MAX_CLASSES = 10_000;
const MAX_TREES = 10_000_000;

/**
 * `wrapped`: as XGBoost's scikit-learn classes answer: with the trees up to the best iteration only, where early stopping noted one.
 */
export function readBooster(document: Section, spend: Spend, wrapped: boolean): Booster {
  const learner = document.section('learner');
  const parameters = learner.section('learner_model_param');
  const name = learner.section('objective').text('name');
  const objective = OBJECTIVES.get(name);
  if (objective === undefined) throw unsupported(`objective ${shown(name)}`, 'use one of docs/models.md');
  const features = parameters.integer('num_feature', 1, MAX_FEATURES);
  const outputs = outputsOf(parameters, objective);
  const forest = forestOf(learner.section('gradient_booster'));
  const count = wrapped ? bestOf(learner, forest, outputs) : forest.trees.length;
  const margins = marginsOf(parameters, outputs, objective);
  const version = document.numbers('version', 3);
  // until 1.6 a category beyond a node's set went the way of missing values
  const unknownIsMissing = (version[0] ?? 0) < 2 && (version[1] ?? 0) < 7;
  const shape = { features, margins, unknownIsMissing, wrapped };
  const trees = readTrees({ ...forest, trees: forest.trees.slice(0, count) }, shape, spend);
  return {
    version: [...version].join('.'),
    features,
    ...namesOf(learner, features),
    objective,
    classes: objective.task === 'classifier' ? Math.max(2, outputs) : 0,
    margins,
    encodings: readEncodings(forest.model, features),
    ...trees,
  };
}

/** What the rows of a booster are. Throws ModelError. */
export function inputOfBooster(document: Section): InputNotes {
  const learner = document.section('learner');
  const columns = learner.section('learner_model_param').integer('num_feature', 1, MAX_FEATURES);
  return { columns, names: namesOf(learner, columns).featureNames };
}

function unsupported(what: string, instead: string): ModelError {
  return new ModelError('UnsupportedModel', `XGBoost with ${what} is not supported: ${instead}`);
}

function outputsOf(parameters: Section, { task, link }: Objective): number {
  const classes = parameters.integer('num_class', 0, MAX_CLASSES);
  const targets = parameters.has('num_target') ? parameters.integer('num_target', 1, MAX_CLASSES) : 1;
  if (targets > 1) throw unsupported('several outputs', 'train one model per output');
  if (link === 'softmax') {
    if (classes > 1) return classes;
    throw damagedDocument(`${classes} classes of a multi: objective`);
  }
  if (classes > 1) throw damagedDocument(`${classes} classes of a ${task}`);
  return 1;
}

/** base_score: one number, or from 3.1 on a list of one for each output. */
function marginsOf(parameters: Section, outputs: number, { link }: Objective): Float64Array<ArrayBuffer> {
  const [, list] = /^\[(.*)\]$/.exec(parameters.text('base_score')) ?? [];
  const scores = list === undefined ? [parameters.number('base_score')] : list.split(',').map(Number);
  if (scores.length !== 1 && scores.length !== outputs) throw damagedDocument(`base_score of ${scores.length} numbers`);
  const margins = Float64Array.from({ length: outputs }, (_, column) => {
    return marginOf(scores[scores.length === 1 ? 0 : column] ?? NaN, link);
  });
  if (margins.every((margin) => Number.isFinite(margin))) return margins;
  throw damagedDocument('base_score that the objective cannot start from');
}

interface Forest {
  readonly trees: readonly Section[];
  readonly model: Section;
  /** Of dart: what each tree counts. */
  readonly weights?: Float64Array;
}

function forestOf(booster: Section): Forest {
  const name = booster.text('name');
  if (name !== 'gbtree' && name !== 'dart') {
    throw unsupported(`booster ${shown(name)}`, 'train with booster="gbtree" or "dart"');
  }
  const model = (name === 'dart' ? booster.section('gbtree') : booster).section('model');
  const trees = model.sections('trees');
  if (trees.length > MAX_TREES) throw new ModelError('ArtifactTooLarge', `more than ${MAX_TREES} trees`);
  return { trees, model, ...(name === 'dart' && { weights: booster.numbers('weight_drop', trees.length) }) };
}

/** Trees up to and with the best iteration. */
function bestOf(learner: Section, { trees, model }: Forest, outputs: number): number {
  const attributes = learner.section('attributes');
  if (!attributes.has('best_iteration')) return trees.length;
  const best = attributes.integer('best_iteration', 0, MAX_TREES);
  if (model.has('iteration_indptr')) {
    return Math.min(trees.length, model.numbers('iteration_indptr')[best + 1] ?? trees.length);
  }
  const parallel = model.section('gbtree_model_param').integer('num_parallel_tree', 0, MAX_TREES);
  return Math.min(trees.length, (best + 1) * Math.max(1, parallel) * outputs);
}

interface Shape {
  readonly features: number;
  readonly margins: Float64Array;
  readonly unknownIsMissing: boolean;
  readonly wrapped: boolean;
}

function readTrees(forest: Forest, shape: Shape, spend: Spend) {
  const { features, margins } = shape;
  const column = forest.model.integers('tree_info', { least: 0, most: margins.length - 1 });
  if (column.length < forest.trees.length) throw damagedDocument('a tree without a class');
  const nodes = forest.trees.reduce((sum, tree) => sum + nodesOf(tree), 0);
  spend(bytesOfTree(nodes, 1) + forest.trees.length * 16);
  const kinds = { categorical: new Set<number>(), numerical: new Set<number>() };
  const read = forest.trees.map((section) => {
    const tree = readXgboostTree(section, features, spend);
    for (const feature of tree.categorical) kinds.categorical.add(feature);
    for (const feature of tree.numerical) kinds.numerical.add(feature);
    return tree;
  });
  for (const feature of kinds.categorical) {
    if (kinds.numerical.has(feature)) throw damagedDocument(`feature ${feature} is a category and a number`);
  }
  return {
    trees: built(read, { ...shape, column, weights: forest.weights }),
    categorical: [...kinds.categorical],
  };
}

interface Sums extends Shape {
  readonly column: Int32Array;
  readonly weights: Float64Array | undefined;
}

function built(trees: readonly XgboostTree[], sums: Sums): Trees {
  const { column, margins, weights, unknownIsMissing } = sums;
  const nodes = trees.reduce((sum, { count }) => sum + count, 0);
  const outputs = margins.length;
  const builder = new TreesBuilder({
    trees: trees.length,
    nodes,
    leafWidth: 1,
    outputs,
    unknownIsMissing,
    isFloat32: true,
  });
  for (const [at, tree] of trees.entries()) {
    const group = column[at] ?? 0;
    const answer = weights === undefined ? undefined : weighing(sums, weights[at] ?? NaN, margins[group] ?? 0);
    builder.add(
      tree,
      (node, target, to) => {
        const value = tree.values[node] ?? NaN;
        target[to] = answer?.(value) ?? value;
      },
      group,
    );
  }
  return builder.built;
}

/**
 * What dart makes of the answer of a tree. A booster weighs it; the scikit-learn classes ask the tree with the margin in it, and take that off again, which rounds twice
 * more.
 */
function weighing({ wrapped }: Sums, given: number, margin: number): (value: number) => number {
  const { fround } = Math;
  const weight = fround(given);
  if (!Number.isFinite(weight)) throw damagedDocument('a tree without a weight');
  if (!wrapped) return (value) => fround(value * weight);
  return (value) => fround(fround(fround(margin + value) - margin) * weight);
}

function namesOf(learner: Section, features: number): { readonly featureNames?: readonly string[] } {
  const names = learner.has('feature_names') ? learner.texts('feature_names') : [];
  if (names.length === 0) return {};
  if (names.length === features) return { featureNames: names };
  throw damagedDocument(`${names.length} names for ${features} features`);
}
