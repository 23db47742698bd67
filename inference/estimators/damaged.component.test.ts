// Every kind of file, damaged at random: refused with a ModelError, or a model that is sound. The seeds are fixed.
import { describe, expect, it } from 'vitest';
import { ONE_AGAINST_REST, decompressed, gaveSoundModel, mutated } from '../../test/support/damage.ts';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { goldenCases } from '../../test/support/estimator-fixtures.ts';

const OWN = /^(GradientBoosting|HistGradientBoosting|XGB|LGBM|LightGBM|RandomForest|DecisionTree)/;
const newest = [
  ...new Map(
    goldenCases()
      .filter(({ name }) => OWN.test(name) && !ONE_AGAINST_REST.test(name))
      .map((golden) => [golden.name.replace(/\/.*/, ''), golden]),
  ).values(),
];

describe.each(newest)('$name', ({ file, bytes }) => {
  const plain = decompressed(bytes);

  it('is sound as it is', () => {
    expect(gaveSoundModel(file, plain)).toBe(true);
  });

  it('mutated 300 times is refused or sound', { timeout: 60_000 }, () => {
    const random = seededRandom(plain.length);

    const sound = Array.from({ length: 300 }, () => gaveSoundModel(file, mutated(plain, random))).filter(Boolean);

    // both have to occur, or the mutations are not worth their name
    expect(sound.length).toBeGreaterThan(0);
    expect(sound.length).toBeLessThan(300);
  });

  it('cut off at every tenth is refused', () => {
    const tenths = Array.from({ length: 10 }, (_, at) => plain.subarray(0, Math.floor((plain.length * at) / 10)));

    expect(tenths.map((cut) => gaveSoundModel(file, cut))).toEqual(tenths.map(() => false));
  });
});
