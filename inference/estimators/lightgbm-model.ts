// The model of a LightGBM booster, as its text has it (tried: 3.3 to 4.7).
import type { LightgbmText } from '../formats/lightgbm-text.ts';
import { type Section, damagedDocument } from '../formats/document.ts';
import { ModelError } from '../model/errors.ts';
import type { Encodings } from './encodings.ts';
import type { InputNotes } from './estimator.ts';
import { readPandasCategories } from './lightgbm-categories.ts';
import { type LightgbmObjective, objectiveOf } from './lightgbm-objective.ts';
import { type LightgbmTree, leavesOf, readLightgbmTree } from './lightgbm-tree.ts';
import { type Spend, type Trees, TreesBuilder, bytesOfTree } from './trees.ts';

export interface LightgbmBooster extends Encodings {
  readonly features: number;
  readonly featureNames?: readonly string[];
  readonly format: string;
  readonly objective: LightgbmObjective;
  /** Classes of a classifier, else 0. */
  readonly classes: number;
  readonly trees: Trees;
  /** What the sums are divided by: 1, or the number of iterations of a random forest. */
  readonly divisor: number;
  /** Columns where zeros are missing values. */
  readonly zeroIsMissing: readonly number[];
}

const MAX_FEATURES = 100_000;
const MAX_CLASSES = 10_000;

/** `iterations`: the first so many only, as a booster answers after early stopping. Throws ModelError. */
export function readLightgbm(text: LightgbmText, spend: Spend, iterations = Infinity): LightgbmBooster {
  const { header } = text;
  const features = featuresOf(header);
  const objective = objectiveOf(header.has('objective') ? header.text('objective') : '');
  const outputs = header.integer('num_tree_per_iteration', 1, MAX_CLASSES);
  const classes = classesOf(header, objective, outputs);
  if (text.trees.length % outputs !== 0) throw damagedDocument(`${text.trees.length} trees of ${outputs} classes`);
  const used = text.trees.slice(0, iterations * outputs);
  const isMean = header.has('average_output') && used.length > 0;
  return {
    features,
    ...namesOf(header, features),
    format: header.text('version'),
    objective,
    classes,
    divisor: isMean ? used.length / outputs : 1,
    ...readTrees(used, { features, outputs }, spend),
    ...readPandasCategories(text.pandasCategorical, header.text('feature_infos').split(' ')),
  };
}

/** What the rows of a booster are. Throws ModelError. */
export function inputOfLightgbmText({ header }: LightgbmText): InputNotes {
  const columns = featuresOf(header);
  return { columns, names: namesOf(header, columns).featureNames };
}

function featuresOf(header: Section): number {
  return header.integer('max_feature_idx', 0, MAX_FEATURES - 1) + 1;
}

function classesOf(header: Section, { task, link }: LightgbmObjective, outputs: number): number {
  const classes = header.integer('num_class', 1, MAX_CLASSES);
  if (classes !== outputs) throw damagedDocument(`${outputs} trees in each step for ${classes} classes`);
  if (task === 'classifier' && link !== 'sigmoid') {
    if (classes > 1) return classes;
    throw damagedDocument('a single class');
  }
  if (classes === 1) return task === 'classifier' ? 2 : 0;
  throw new ModelError(
    'UnsupportedModel',
    'LightGBM with several outputs is not supported: train one model per output',
  );
}

function namesOf(header: Section, features: number): { readonly featureNames?: readonly string[] } {
  const names = header.text('feature_names').split(' ');
  if (names.length !== features) throw damagedDocument(`${names.length} names for ${features} features`);
  // what LightGBM calls columns that have no name
  return names.every((name, column) => name === `Column_${column}`) ? {} : { featureNames: names };
}

interface Shape {
  readonly features: number;
  readonly outputs: number;
}

function readTrees(sections: readonly Section[], { features, outputs }: Shape, spend: Spend) {
  const nodes = sections.reduce((sum, section) => sum + 2 * leavesOf(section) - 1, 0);
  spend(bytesOfTree(nodes, 1) + sections.length * 16);
  const builder = new TreesBuilder({ trees: sections.length, nodes, leafWidth: 1, outputs });
  const zeroIsMissing = new Set<number>();
  const others = new Set<number>();
  for (const [at, section] of sections.entries()) {
    const tree = readLightgbmTree(section, features, spend);
    for (const column of tree.zeroIsMissing) zeroIsMissing.add(column);
    for (const column of [...tree.zeroIsZero, ...tree.categorical]) others.add(column);
    builder.add(tree, answersOf(tree), at % outputs);
  }
  // it happens where training went on with other settings
  if ([...zeroIsMissing].some((column) => others.has(column))) {
    throw new ModelError(
      'UnsupportedModel',
      'LightGBM with a column whose zeros are missing values in some trees only',
    );
  }
  return { trees: builder.built, zeroIsMissing: [...zeroIsMissing] };
}

function answersOf({ values }: LightgbmTree) {
  return (node: number, target: Float64Array, at: number) => {
    target[at] = values[node] ?? NaN;
  };
}
