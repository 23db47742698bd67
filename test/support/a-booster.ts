// Files of boosters of any size, as XGBoost and LightGBM write them: one tree of the usual depth, as often as it takes.

export type BoosterKind = 'model.json' | 'model.ubj' | 'model.txt';

const DEPTH = 6;
const SPLITS = 2 ** DEPTH - 1;
const NODES = 2 ** (DEPTH + 1) - 1;
const FEATURES = 12;

/** A file of that name and of about so many bytes. */
export function aBooster(kind: BoosterKind, bytes: number): Buffer {
  if (kind === 'model.txt') return lightgbm(bytes);
  const encode = kind === 'model.json' ? json : ubjson;
  const tree = encode(xgboostTree());
  const count = Math.ceil(bytes / tree.length);
  return encode(
    xgboostModel(count),
    Array.from({ length: count }, () => tree),
  );
}

type Column = Float32Array | Int32Array | Uint8Array;
type Value = string | Column | readonly Value[] | { readonly [key: string]: Value };
/** Stands for the trees in a document. */
const TREES = 'the trees';

function xgboostModel(trees: number): Value {
  return {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(trees) },
          iteration_indptr: Int32Array.from({ length: trees + 1 }, (_, at) => at),
          tree_info: new Int32Array(trees),
          trees: TREES,
        },
        name: 'gbtree',
      },
      learner_model_param: { base_score: '5E-1', num_class: '0', num_feature: String(FEATURES), num_target: '1' },
      objective: { name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } },
    },
    version: Int32Array.of(3, 0, 5),
  };
}

function xgboostTree(): Value {
  const isSplit = (node: number) => node < SPLITS;
  const nodes = (numbers: (node: number) => number) => Array.from({ length: NODES }, (_, node) => numbers(node));
  const noise = () => Float32Array.from(nodes((node) => Math.sin(node + 1) * 10 ** ((node % 7) - 3)));
  return {
    base_weights: noise(),
    categories: new Int32Array(),
    categories_nodes: new Int32Array(),
    categories_segments: new Int32Array(),
    categories_sizes: new Int32Array(),
    default_left: Uint8Array.from(nodes((node) => node % 2)),
    left_children: Int32Array.from(nodes((node) => (isSplit(node) ? 2 * node + 1 : -1))),
    loss_changes: noise(),
    parents: Int32Array.from(nodes((node) => (node === 0 ? 2 ** 31 - 1 : (node - 1) >> 1))),
    right_children: Int32Array.from(nodes((node) => (isSplit(node) ? 2 * node + 2 : -1))),
    split_conditions: noise(),
    split_indices: Int32Array.from(nodes((node) => (isSplit(node) ? node % FEATURES : 0))),
    split_type: new Uint8Array(NODES),
    sum_hessian: Float32Array.from(nodes((node) => NODES - node)),
    tree_param: { num_deleted: '0', num_feature: String(FEATURES), num_nodes: String(NODES), size_leaf_vector: '1' },
  };
}

function json(value: Value, trees: readonly Buffer[] = []): Buffer {
  const text = JSON.stringify(value, (_, item: unknown) =>
    ArrayBuffer.isView(item) ? numbersOf(item as Column) : item,
  );
  const [before = '', after = ''] = text.replaceAll(/"(-?[\d.E+-]+)#"/g, '$1').split(JSON.stringify(TREES));
  if (trees.length === 0) return Buffer.from(before);
  const list = trees.flatMap((tree, at) => (at === 0 ? [tree] : [Buffer.from(','), tree]));
  return Buffer.concat([Buffer.from(`${before}[`), ...list, Buffer.from(`]${after}`)]);
}

/** Fractions as XGBoost writes them, such as 4.0782E1, in the digits of a float32. */
function numbersOf(column: Column): readonly (number | string)[] {
  if (!(column instanceof Float32Array)) return [...column];
  return Array.from(column, (number) => `${number.toExponential(7).replace('e+', 'E').replace('e', 'E')}#`);
}

function ubjson(value: Value, trees: readonly Buffer[] = []): Buffer {
  if (value === TREES) return Buffer.concat([Buffer.from('[#L'), lengthOf(trees), ...trees]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from('SL'), lengthOf(value), Buffer.from(value)]);
  if (ArrayBuffer.isView(value)) return columnOf(value);
  if (Array.isArray(value)) {
    const items = (value as readonly Value[]).map((item) => ubjson(item, trees));
    return Buffer.concat([Buffer.from('[#L'), lengthOf(items), ...items]);
  }
  const members = Object.entries(value).map(([key, member]) =>
    Buffer.concat([Buffer.from('L'), lengthOf(key), Buffer.from(key), ubjson(member, trees)]),
  );
  return Buffer.concat([Buffer.from('{'), ...members, Buffer.from('}')]);
}

function lengthOf({ length }: { readonly length: number }): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(length));
  return bytes;
}

/** Big-endian, behind the letter of its type. */
function columnOf(column: Column): Buffer {
  const head = Buffer.concat([Buffer.from(`[$${letterOf(column)}#L`), lengthOf(column)]);
  const bytes = Buffer.from(new Uint8Array(column.buffer));
  return Buffer.concat([head, column.BYTES_PER_ELEMENT === 4 ? bytes.swap32() : bytes]);
}

function letterOf(column: Column): string {
  if (column instanceof Float32Array) return 'd';
  return column instanceof Int32Array ? 'l' : 'U';
}

function lightgbm(bytes: number): Buffer {
  const names = Array.from({ length: FEATURES }, (_, at) => `Column_${at}`);
  const tree = lightgbmTree();
  const count = Math.ceil(bytes / tree.length);
  const head = [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${FEATURES - 1}`,
    'objective=regression',
    `feature_names=${names.join(' ')}`,
    `feature_infos=${names.map(() => '[-1:1]').join(' ')}`,
    '',
    '',
  ].join('\n');
  const trees = Array.from({ length: count }, (_, at) => `Tree=${at}\n${tree}`);
  return Buffer.from(`${head}${trees.join('')}end of trees\n\nparameters:\n[boosting: gbdt]\nend of parameters\n`);
}

function lightgbmTree(): string {
  const leaves = SPLITS + 1;
  const list = (count: number, number: (at: number) => number) => Array.from({ length: count }, (_, at) => number(at));
  const noise = (count: number) => list(count, (at) => Math.sin(at + 1) * 10 ** ((at % 5) - 3)).join(' ');
  const child = (node: number) => (node < SPLITS ? node : ~(node - SPLITS));
  const lines = {
    num_leaves: leaves,
    num_cat: 0,
    split_feature: list(SPLITS, (at) => at % FEATURES).join(' '),
    split_gain: noise(SPLITS),
    threshold: noise(SPLITS),
    decision_type: list(SPLITS, () => 2).join(' '),
    left_child: list(SPLITS, (at) => child(2 * at + 1)).join(' '),
    right_child: list(SPLITS, (at) => child(2 * at + 2)).join(' '),
    leaf_value: noise(leaves),
    leaf_weight: noise(leaves),
    leaf_count: list(leaves, (at) => at + 1).join(' '),
    internal_value: noise(SPLITS),
    internal_weight: noise(SPLITS),
    internal_count: list(SPLITS, (at) => at + 2).join(' '),
    is_linear: 0,
    shrinkage: 0.1,
  };
  const text = Object.entries(lines).map(([key, value]) => `${key}=${value}`);
  return `${text.join('\n')}\n\n\n`;
}
