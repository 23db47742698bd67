// Contributions of the features to the sums of trees: path-dependent TreeSHAP, algorithm 2 of Lundberg, Erion and Lee, "Consistent Individualized
// Feature Attribution for Tree Ensembles" (https://arxiv.org/abs/1802.03888). A walk over all leaves with its own stack, so that it can be done in pieces.
import { type TreeInput, goesLeft } from './evaluate.ts';
import type { Trees } from './trees.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** Share of a node's training weight that went to one of its children; halves where no weight reached the node at all. */
export function shareOf({ cover }: Trees, node: number, child: number): number {
  const whole = cover[node] ?? 0;
  return whole > 0 ? (cover[child] ?? 0) / whole : 0.5;
}

/**
 * The contributions of every feature, for all rows. One tree and row take O(leaves · d²) steps, where d is the smaller of the tree's depth and the number
 * of features. The features of a path are kept level by level: element 0 stands for none; `zero` is the share of the training rows that follow the path's
 * splits by an element's feature, `one` is 1 where the row itself follows them all, and `weight[i]` the summed weight of the subsets of i features.
 */
export class Contributions {
  /** `rows` times `columns` times `trees.outputs` numbers, row-major. Complete when `advance` says so. */
  readonly values: Numbers;
  readonly #trees: Trees;
  readonly #input: TreeInput;
  /** Elements of a level's path, and for each level how many there are. */
  readonly #width: number;
  readonly #lengths: Int32Array;
  readonly #feature: Int32Array;
  readonly #zero: Numbers;
  readonly #one: Numbers;
  readonly #weight: Numbers;
  /** 1 / n, since a division takes as long as ten multiplications. */
  readonly #inverse: Numbers;
  /** Nodes that are still to be visited, each with its level and the element that its parent adds. */
  readonly #stack: Frame[] = [];
  #row = 0;
  #tree = 0;

  constructor(trees: Trees, input: TreeInput) {
    const levels = trees.depth.reduce((most, depth) => Math.max(most, depth), 0) + 1;
    this.#trees = trees;
    this.#input = input;
    this.#width = pathWidth(levels - 1, input.columns);
    this.#lengths = new Int32Array(levels);
    this.#feature = new Int32Array(levels * this.#width);
    this.#zero = new Float64Array(levels * this.#width);
    this.#one = new Float64Array(levels * this.#width);
    this.#weight = new Float64Array(levels * this.#width);
    this.#inverse = Float64Array.from({ length: this.#width + 1 }, (_, number) => 1 / number);
    this.values = new Float64Array(input.rows * input.columns * trees.outputs);
  }

  /** Goes on for about `steps` elements of paths. Returns whether everything has been done. */
  advance(steps: number): boolean {
    let left = steps;
    while (left > 0) {
      const frame = this.#stack.pop() ?? this.#nextTree();
      if (frame === undefined) return true;
      left -= this.#visit(frame);
    }
    return false;
  }

  #nextTree(): Frame | undefined {
    const { roots } = this.#trees;
    if (this.#tree === roots.length) {
      this.#tree = 0;
      this.#row += 1;
    }
    const root = roots[this.#tree];
    if (root === undefined || this.#row >= this.#input.rows) return undefined;
    this.#tree += 1;
    return { node: root, level: 0, feature: -1, zero: 1, one: 1 };
  }

  /** Returns how many elements it went over. */
  #visit(frame: Frame): number {
    const { node, level } = frame;
    const length = this.#enter(frame);
    if (length === 0) return 1;
    const { left, feature } = this.#trees;
    if (left[node] === node) return this.#addLeaf(node, level * this.#width, length);
    const tested = feature[node] ?? 0;
    const value = this.#input.values[this.#row * this.#input.columns + tested] ?? 0;
    const first = left[node] ?? 0;
    const hot = goesLeft(this.#trees, node, value) ? first : first + 1;
    for (let child = first; child <= first + 1; child += 1) {
      const zero = shareOf(this.#trees, node, child);
      if (zero === 0 && child !== hot) continue;
      this.#stack.push({ node: child, level: level + 1, feature: tested, zero, one: Number(child === hot) });
    }
    return 2 * length;
  }

  /** Makes the path of a level from that of the one above. Returns its length; 0: nothing below counts. */
  #enter({ level, feature, zero, one }: Frame): number {
    const start = level * this.#width;
    const above = start - this.#width;
    const length = level === 0 ? 0 : (this.#lengths[level - 1] ?? 0);
    // not copyWithin: for these few numbers its call takes longer than the copy
    for (let place = 0; place < length; place += 1) {
      this.#feature[start + place] = this.#feature[above + place] ?? 0;
      this.#zero[start + place] = at(this.#zero, above + place);
      this.#one[start + place] = at(this.#one, above + place);
      this.#weight[start + place] = at(this.#weight, above + place);
    }
    const known = this.#find(feature, start, length);
    if (known < 0) return this.#extended(level, length, { feature, zero, one });
    const element = { feature, zero: zero * at(this.#zero, known), one: one * at(this.#one, known) };
    // a branch that neither the row nor any row of the training takes contributes nothing
    if (element.zero === 0 && element.one === 0) return 0;
    this.#unwind(start, length - 1, known - start);
    return this.#extended(level, length - 1, element);
  }

  /** Place of the element of a feature that the path has split by before, else -1. */
  #find(feature: number, start: number, length: number): number {
    for (let place = start + 1; place < start + length; place += 1) if (this.#feature[place] === feature) return place;
    return -1;
  }

  /** EXTEND: the subsets with and without one more feature. */
  #extended(level: number, length: number, { feature, zero, one }: Element): number {
    const weight = this.#weight;
    const start = level * this.#width;
    this.#feature[start + length] = feature;
    this.#zero[start + length] = zero;
    this.#one[start + length] = one;
    weight[start + length] = length === 0 ? 1 : 0;
    const part = at(this.#inverse, length + 1);
    for (let size = length - 1; size >= 0; size -= 1) {
      const own = at(weight, start + size) * part;
      weight[start + size + 1] = at(weight, start + size + 1) + one * own * (size + 1);
      weight[start + size] = zero * own * (length - size);
    }
    return (this.#lengths[level] = length + 1);
  }

  /** UNWIND: takes an element out again; `last` is the index of the path's last one. */
  #unwind(start: number, last: number, element: number): void {
    const weight = this.#weight;
    const zero = at(this.#zero, start + element);
    const one = at(this.#one, start + element);
    const inZero = 1 / zero;
    let next = at(weight, start + last);
    for (let size = last - 1; size >= 0; size -= 1) {
      const own = at(weight, start + size);
      const without = one === 0 ? own * inZero * at(this.#inverse, last - size) : next * at(this.#inverse, size + 1);
      weight[start + size] = without * (last + 1);
      next = own - without * zero * (last - size);
    }
    for (const column of [this.#feature, this.#zero, this.#one]) {
      column.copyWithin(start + element, start + element + 1, start + last + 1);
    }
  }

  #addLeaf(leaf: number, start: number, length: number): number {
    const last = length - 1;
    // the same for every feature by which the row leaves the path: its own share cancels out
    const cold = -this.#coldSum(start, last);
    let hot = 0;
    for (let place = start + 1; place <= start + last; place += 1) {
      if (this.#one[place] === 0) this.#add(leaf, this.#feature[place] ?? 0, cold);
      else {
        const zero = at(this.#zero, place);
        this.#add(leaf, this.#feature[place] ?? 0, this.#hotSum(start, last, zero) * (1 - zero));
        hot += 1;
      }
    }
    return (2 + hot) * length;
  }

  /** Summed weights of the path without an element that the row does not follow, times the element's zero. */
  #coldSum(start: number, last: number): number {
    let sum = 0;
    for (let size = last - 1; size >= 0; size -= 1)
      sum += at(this.#weight, start + size) * at(this.#inverse, last - size);
    return sum * (last + 1);
  }

  /** Summed weights of the path without an element that the row follows. */
  #hotSum(start: number, last: number, zero: number): number {
    let sum = 0;
    let next = at(this.#weight, start + last);
    for (let size = last - 1; size >= 0; size -= 1) {
      const without = next * at(this.#inverse, size + 1);
      sum += without;
      next = at(this.#weight, start + size) - without * zero * (last - size);
    }
    return sum * (last + 1);
  }

  #add(leaf: number, feature: number, share: number): void {
    const { leafWidth, answer, values, column, outputs } = this.#trees;
    const from = answer[leaf] ?? 0;
    const to = (this.#row * this.#input.columns + feature) * outputs + (column[this.#tree - 1] ?? 0);
    for (let place = 0; place < leafWidth; place += 1) {
      this.values[to + place] = at(this.values, to + place) + share * at(values, from + place);
    }
  }
}

interface Element {
  readonly feature: number;
  readonly zero: number;
  readonly one: number;
}

interface Frame extends Element {
  readonly node: number;
  readonly level: number;
}

/** Most elements of a path: one for each feature that it can test, and the one for none. */
export function pathWidth(depth: number, columns: number): number {
  return Math.min(depth, columns) + 2;
}

/** For one type of array only: with two of them every call would ask which it is. */
function at(numbers: Numbers, place: number): number {
  return numbers[place] ?? 0;
}
