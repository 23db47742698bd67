import { expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import type { ServedModel } from '../model/served.ts';
import { Counts } from './counts.ts';

const REFERENCE = {
  features: { a: { edges: [0, 1, 2], counts: [1, 1] } },
  prediction: { categories: ['low', 'medium', 'high'], counts: [0, 0, 1] },
};

/** Counts of a thread, and of the main thread, by this model. */
function aScene(reference: unknown = REFERENCE) {
  const state = { served: aServedModel(reference) };
  const drift = { current: () => state.served, windowMs: 60_000, minRows: 1 };
  return { state, main: new Counts(drift), thread: new Counts(drift) };
}

/** One row whose feature is out of range. */
function ask(counts: Counts, served: ServedModel, predicted = 0): void {
  counts.success();
  counts.predict.observe(0.001);
  const row = { served, row: Float64Array.of(-1, 7), now: performance.now() };
  counts.monitor.row(row, Float64Array.of(0.8, 0.1, 0.1), predicted);
}

function seen({ served, refused, predict, monitor }: Counts) {
  const { rows, prediction } = monitor.drift?.read() ?? {};
  const [below] = monitor.drift?.outOfRange() ?? [];
  const timed = predict
    .text('m')
    .split('\n')
    .find((line) => line.includes('_count'));
  return { served, refused, timed, classes: monitor.classes.read(), rows, prediction, below: below?.total };
}

it('what one thread hands over is counted as if it had happened on the other, once', () => {
  const { state, main, thread } = aScene();
  const { main: alone } = aScene();
  for (const counts of [main, thread, thread]) ask(counts, state.served);
  thread.failure();

  main.add(thread.take(), state.served);
  main.add(thread.take(), state.served);

  for (let at = 0; at < 3; at += 1) ask(alone, aServedModel(REFERENCE));
  expect(seen(main)).toMatchObject({ served: 3, refused: 1, rows: 3, below: 3 });
  expect(seen(main).timed).toMatch(/ 3$/);
  expect(seen(main).classes).toContainEqual({ label: 'low', count: 3 });
});

it('rows of the model before count for features of the same reference, not for the predictions', () => {
  const { state, main, thread } = aScene();
  const former = state.served;
  ask(main, former);
  ask(thread, former, 2);

  state.served = aServedModel(REFERENCE);
  ask(main, state.served);
  const { prediction } = seen(main);
  main.add(thread.take(), former);

  expect(seen(main)).toMatchObject({ rows: 3, below: 3, prediction });
});

it('rows of a model with another reference are not mixed in', () => {
  const { state, main, thread } = aScene();
  const former = state.served;
  ask(thread, former);

  state.served = aServedModel({ features: { b: { edges: [0, 1], counts: [1] } } });
  ask(main, state.served);
  main.add(thread.take(), former);

  expect(seen(main)).toMatchObject({ served: 2, rows: 1 });
});
