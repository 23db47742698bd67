// One file of every case that is not a tree, damaged at random: refused with a ModelError, or a model that is sound. The seeds are fixed.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { decompressed, gaveSoundModel, mutated } from '../../test/support/damage.ts';
import { type GoldenCase, goldenCases, rowsOfCase } from '../../test/support/estimator-fixtures.ts';
import type { Model } from '../model/model.ts';

const TREES = /^(GradientBoosting|HistGradientBoosting|XGB|LGBM|LightGBM|RandomForest|ExtraTree|DecisionTree|Dummy)/;
const newest = [
  ...new Map(
    goldenCases()
      .filter(({ name }) => !TREES.test(name))
      .map((golden) => [golden.name.replace(/\/.*/, ''), golden]),
  ).values(),
];

/** The first three rows of a case, where the damage has left their width as it was. */
function rowsFor(golden: GoldenCase) {
  const rows = golden.inputs.slice(0, 3);
  return (model: Model) => {
    const same = model.features === rows[0]?.length;
    return same ? rowsOfCase({ ...golden, inputs: rows }, model) : new Float64Array(3 * model.features).fill(1);
  };
}

describe.each(newest)('$name', (golden) => {
  const { file, bytes } = golden;
  const plain = decompressed(bytes);
  const rows = rowsFor(golden);

  it('is sound as it is', () => {
    expect(gaveSoundModel(file, plain, rows)).toBe(true);
  });

  it('mutated 100 times is refused or sound', { timeout: 60_000 }, () => {
    const random = seededRandom(plain.length);

    const sound = Array.from({ length: 100 }, () => gaveSoundModel(file, mutated(plain, random), rows)).filter(Boolean);

    // both have to occur, or the mutations are not worth their name
    expect(sound.length).toBeGreaterThan(0);
    expect(sound.length).toBeLessThan(100);
  });

  it('cut off at every tenth is refused', () => {
    const tenths = Array.from({ length: 10 }, (_, at) => plain.subarray(0, Math.floor((plain.length * at) / 10)));

    expect(tenths.map((cut) => gaveSoundModel(file, cut, rows))).toEqual(tenths.map(() => false));
  });
});
