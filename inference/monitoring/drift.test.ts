import { describe, expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import type { ServedModel } from '../model/served.ts';
import { Drift } from './drift.ts';

const REFERENCE = {
  features: { a: { edges: [0, 10, 20], counts: [50, 50] }, b: { categories: [0, 1], counts: [80, 20] } },
  prediction: { categories: ['low', 'medium', 'high'], counts: [50, 25, 25] },
};
const WINDOW = 1200;

interface Scene {
  readonly drift: Drift;
  now: number;
  served: ServedModel | undefined;
}

function aScene(served: ServedModel | undefined, minRows = 4): Scene {
  const state: Omit<Scene, 'drift'> = { now: 0, served };
  const drift = new Drift({ current: () => state.served, windowMs: WINDOW, minRows, clock: () => state.now });
  return Object.assign(state, { drift });
}

/** Rows of a and b with the class that was predicted. */
function count(scene: Scene, rows: readonly (readonly [number, number, number])[], served = scene.served): void {
  if (served === undefined) throw new Error('no model');
  const values = Float64Array.from(rows.flatMap(([a, b]) => [a, b]));
  const predictions = Float64Array.from(rows, ([, , c]) => c);
  scene.drift.observe({ served, rows: values, count: rows.length, now: scene.now }, { predictions });
}

const AS_EXPECTED: readonly (readonly [number, number, number])[] = [
  [1, 0, 0],
  [2, 0, 0],
  [15, 0, 1],
  [16, 0, 2],
];
const psiOf = (scene: Scene) => Object.fromEntries(scene.drift.read().features.map(({ name, psi }) => [name, psi]));

describe('drift', () => {
  it('is 0 where rows and answers are as the reference has them', () => {
    const scene = aScene(aServedModel(REFERENCE));

    count(scene, AS_EXPECTED);

    expect(scene.drift.read()).toMatchObject({ rows: 4, watched: 2, ignored: 0, prediction: 0 });
    expect(psiOf(scene)['a']).toBe(0);
  });

  it('rises for the feature that has moved, and for the answers', () => {
    const scene = aScene(aServedModel(REFERENCE));

    count(
      scene,
      AS_EXPECTED.map(([, b]) => [11, b, 2]),
    );

    expect(psiOf(scene)['a']).toBeGreaterThan(4);
    expect(psiOf(scene)['b']).toBeLessThan(2);
    expect(scene.drift.read().prediction).toBeGreaterThan(4);
  });

  it('is not told from too few rows', () => {
    const scene = aScene(aServedModel(REFERENCE), 5);

    count(scene, AS_EXPECTED);

    expect(scene.drift.read()).toEqual({ rows: 4, skipped: 0, watched: 2, ignored: 0, features: [] });
  });

  it('forgets what is older than the window', () => {
    const scene = aScene(aServedModel(REFERENCE));
    count(scene, AS_EXPECTED);

    scene.now = WINDOW;

    expect(scene.drift.read()).toMatchObject({ rows: 0, features: [] });
  });

  it('takes the likeliest class of probabilities', () => {
    const scene = aScene(aServedModel(REFERENCE), 1);
    const served = aServedModel(REFERENCE);
    scene.served = served;

    scene.drift.observe(
      { served, rows: Float64Array.of(1, 0), count: 1, now: 0 },
      { probabilities: Float64Array.of(0.6, 0.3, 0.1) },
    );
    scene.drift.observe(
      { served, rows: Float64Array.of(1, 0), count: 1, now: 0 },
      { probabilities: Float64Array.of(0.2, 0.4, 0.4) },
    );

    // Shares 0.5, 0.5, 0 against 0.5, 0.25, 0.25
    expect(scene.drift.read().prediction).toBeCloseTo(0.25 * Math.log(2) + (0.25 - 1e-4) * Math.log(2500), 6);
  });

  it('of two classes can be that of the probability of the second', () => {
    const reference = { prediction: { edges: [0, 0.5, 1], counts: [1, 1] } };
    const served = aServedModel(reference, { classes: ['no', 'yes'] });
    const scene = aScene(served, 2);
    const rows = Float64Array.of(1, 0, 1, 0);

    scene.drift.observe({ served, rows, count: 2, now: 0 }, { probabilities: Float64Array.of(0.9, 0.1, 0.3, 0.7) });
    // A label says nothing of the probability.
    scene.drift.observe({ served, rows, count: 2, now: 0 }, { predictions: Float64Array.of(1, 1) });

    expect(scene.drift.read()).toMatchObject({ rows: 4, prediction: 0 });
  });

  it('is counted from every so many of a flood of rows', () => {
    const scene = aScene(aServedModel(REFERENCE));
    const rows = Array.from({ length: 500_000 }, () => [1, 0, 0] as const);

    count(scene, rows);
    count(scene, rows.slice(0, 10));
    scene.now = 1;
    count(scene, rows.slice(0, 1000));

    // Two features and an answer: 50,000 numbers are every 31st row; what is left of them and comes in a millisecond is 10 rows and every second one.
    const { rows: counted, skipped } = scene.drift.read();
    expect({ counted, skipped }).toEqual({ counted: 16_640, skipped: 484_370 });
  });

  it('is nothing without a reference, or without a model', () => {
    const none = { rows: 0, skipped: 0, watched: 0, ignored: 0, features: [] };
    const scene = aScene(aServedModel());

    count(scene, AS_EXPECTED);

    expect(scene.drift.read()).toEqual(none);
    expect(aScene(undefined).drift.read()).toEqual(none);
    expect(scene.drift.outOfRange()).toEqual([]);
  });
});

describe('when another model takes over', () => {
  it('rows count on where the reference is the same, answers begin anew', () => {
    const scene = aScene(aServedModel(REFERENCE));
    count(scene, AS_EXPECTED);

    scene.served = aServedModel(REFERENCE);
    count(scene, AS_EXPECTED.slice(0, 2));

    const { rows, prediction } = scene.drift.read();
    expect({ rows, prediction }).toEqual({ rows: 6, prediction: undefined });
  });

  it('everything begins anew with another reference, and a late answer of the old model is left out', () => {
    const old = aServedModel(REFERENCE);
    const scene = aScene(old);
    count(scene, AS_EXPECTED);

    scene.served = aServedModel({ features: { a: { edges: [0, 5], counts: [9] } } });
    count(scene, AS_EXPECTED.slice(0, 1));
    count(scene, AS_EXPECTED, old);

    expect(scene.drift.read()).toMatchObject({ rows: 1, watched: 1 });
  });

  it('nothing is told of a model that is gone, before the next one has answered', () => {
    const scene = aScene(aServedModel(REFERENCE));
    count(scene, AS_EXPECTED);

    scene.served = aServedModel();

    expect(scene.drift.read().rows).toBe(0);
  });
});

describe('values out of range', () => {
  it('are counted by feature and side, and never back', () => {
    const scene = aScene(aServedModel(REFERENCE));
    count(scene, [
      [-1, 0, 0],
      [21, 5, 0],
      [22, 1, 0],
      [NaN, NaN, 0],
    ]);
    const before = scene.drift.outOfRange();

    scene.served = aServedModel({ features: { a: { edges: [0, 1], counts: [9] } } });
    count(scene, [[7, 0, 0]]);
    scene.now = 2 * WINDOW;

    expect(before).toEqual([
      { feature: 'a', side: 'below', total: 1 },
      { feature: 'a', side: 'above', total: 2 },
      { feature: 'b', side: 'unknown', total: 1 },
    ]);
    expect(scene.drift.outOfRange()).toEqual([
      { feature: 'a', side: 'below', total: 1 },
      { feature: 'a', side: 'above', total: 3 },
    ]);
  });
});
