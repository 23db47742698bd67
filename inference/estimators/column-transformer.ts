// ColumnTransformer and FeatureUnion of scikit-learn: several transformers beside each other, and what they make side by side.
import { intOf, numberOf } from '../formats/numpy.ts';
import type { Value } from '../formats/pickle-value.ts';
import { DTYPES } from './categories.ts';
import type { Compile, Definition, TransformerPart } from './estimator.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import { type Matrix, columnsOf } from './matrix.ts';

/** One of the transformers. */
interface Branch {
  /** Places of the columns that it is given; absent: all. */
  readonly columns?: readonly number[];
  /** Absent: the columns are passed through. */
  readonly part?: TransformerPart;
  readonly outputs: number;
  readonly weight: number;
}

export interface BranchesPart extends TransformerPart {
  readonly kind: 'branches';
  readonly branches: readonly Branch[];
}

const MODULE = 'sklearn.compose._column_transformer';
const DROP = 'drop';
const PASSTHROUGH = 'passthrough';

export const columnTransformer: Definition<BranchesPart> = {
  kind: 'branches',
  names: [`${MODULE}.ColumnTransformer`, 'sklearn.pipeline.FeatureUnion'],
  // how columns were chosen, which the fitted transformer has resolved, and where its outputs are
  inert: [`${MODULE}.make_column_selector`, `${MODULE}._RemainderColsList`, 'builtins.slice', ...DTYPES],
  takesText: true,
  firstOf: (fitted) => {
    const [first] = unionOf(fitted);
    if (first === undefined) throw fitted.unsupported('has no transformers');
    return fitted.child(first.value);
  },
  read: (fitted) => (fitted.name === 'FeatureUnion' ? readUnion(fitted) : readColumns(fitted)),
  compile: ({ branches, outputs }, compile) => ({ transform: sideBySide(branches, outputs, compile) }),
};

function sideBySide(branches: readonly Branch[], outputs: number, compile: Compile): (input: Matrix) => Matrix {
  const operators = branches.map((branch) => ({ ...branch, operator: branch.part && compile(branch.part) }));
  return (input) => {
    const values = new Float64Array(input.rows * outputs);
    let first = 0;
    for (const { columns, operator, weight, outputs: width } of operators) {
      const chosen = columns === undefined ? input : columnsOf(input, columns);
      const made = operator === undefined ? chosen : operator.transform(chosen);
      for (let at = 0; at < made.values.length; at += 1) {
        const row = Math.floor(at / width);
        values[row * outputs + first + (at % width)] = (made.values[at] ?? 0) * weight;
      }
      first += width;
    }
    return { values, rows: input.rows, columns: outputs };
  };
}

function readColumns(fitted: Fitted): BranchesPart {
  const chosen = fitted.value('_transformer_to_input_indices');
  if (!(chosen instanceof Map)) throw fitted.damaged('without the places of its columns');
  const branches = fitted.list('transformers_').flatMap((item) => {
    const [name = null, transformer = null] = itemsOf(item, `a transformer of ${fitted.name}`);
    const places = itemsOf(chosen.get(name), `the columns of ${fitted.name}`).map((place) => intOf(place));
    if (places.some((place) => place < 0 || place >= fitted.columns)) {
      throw fitted.damaged('with a transformer for columns that it has not');
    }
    if (transformer === DROP || places.length === 0) return [];
    return [branchOf(fitted, transformer, { columns: places, weight: weightOf(fitted, name) })];
  });
  return partOf(fitted, branches);
}

interface OriginedBranch {
  readonly branch: Branch;
  /** Those of its outputs. */
  readonly origins: readonly number[];
}

interface Place {
  readonly columns?: readonly number[];
  readonly weight: number;
}

function branchOf(fitted: Fitted, transformer: Value, { columns, weight }: Place): OriginedBranch {
  const origins = columns === undefined ? fitted.origins : columns.map((place) => fitted.origins[place] ?? -1);
  const part = transformer === PASSTHROUGH ? undefined : fitted.transformer(transformer, origins);
  const outputs = part === undefined ? origins.length : part.outputs;
  const kept = part === undefined ? origins : (part.origins ?? []);
  return {
    branch: { ...(columns && { columns }), ...(part && { part }), outputs, weight },
    origins: Array.from({ length: outputs }, (_, at) => (weight === 1 ? (kept[at] ?? -1) : -1)),
  };
}

function partOf(fitted: Fitted, branches: readonly OriginedBranch[]): BranchesPart {
  const origins = branches.flatMap((made) => made.origins);
  return {
    kind: 'branches',
    modelType: fitted.name,
    outputs: origins.length,
    origins,
    branches: branches.map(({ branch }) => branch),
  };
}

/** `transformer_weights`: 1 where nothing is said. */
function weightOf(fitted: Fitted, name: Value): number {
  const weights = fitted.value('transformer_weights');
  if (!(weights instanceof Map)) return 1;
  const weight = numberOf(weights.get(name) ?? 1);
  if (Math.abs(weight) <= 1e100) return weight;
  throw fitted.damaged(`with a weight of ${weight}`);
}

interface Member {
  readonly name: Value;
  readonly value: Value;
}

/** Transformers of a FeatureUnion; those that were dropped are left out. */
function unionOf(fitted: Fitted): readonly Member[] {
  const members = fitted.list('transformer_list').map((item) => {
    const [name = null, value = null] = itemsOf(item, `a transformer of ${fitted.name}`);
    return { name, value };
  });
  return members.filter(({ value }) => value !== DROP && value !== null);
}

function readUnion(fitted: Fitted): BranchesPart {
  const branches = unionOf(fitted).map(({ name, value }) =>
    branchOf(fitted, value, { weight: weightOf(fitted, name) }),
  );
  return partOf(fitted, branches);
}
