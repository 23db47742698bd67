import { expect, it } from 'vitest';
import { goldenOf, modelFile, rowsOf } from '../../test/support/model-fixtures.ts';
import { modelOf, parseModel, transferables } from './model.ts';
import { withSharedArrays } from './shared-arrays.ts';

const FIXTURE = 'iris-sk132';

function parsed() {
  const { name, bytes } = modelFile(FIXTURE);
  return parseModel(name, bytes, { maxBytes: 2 ** 30 });
}

it('a model answers the same from shared arrays, none of which is copied on its way to another thread', () => {
  const golden = goldenOf(FIXTURE);
  const [data, shared] = [parsed(), withSharedArrays(parsed())];

  const elsewhere = modelOf(structuredClone(shared));

  const rows = rowsOf(golden);
  expect(elsewhere.predictProba?.(rows, golden.inputs.length)).toEqual(
    modelOf(data).predictProba?.(rows, golden.inputs.length),
  );
  expect(transferables(shared)).toEqual([]);
  expect(elsewhere.bytes).toBe(modelOf(data).bytes);
});

it('keeps the kinds of arrays, their places in common memory, and everything that is no array', () => {
  const memory = new Float64Array([1, 2, 3, 4]);
  const data = {
    whole: memory,
    part: memory.subarray(1, 3),
    bytes: Uint8Array.of(7),
    texts: new Map([[0, ['a']]]),
    list: [{ name: 'x', at: Int32Array.of(5) }],
    none: undefined,
  };

  const shared = withSharedArrays(data);

  expect(shared).toEqual(data);
  expect(shared.whole.buffer).toBe(shared.part.buffer);
  expect([shared.whole, shared.bytes, shared.list[0]?.at].map((view) => view?.buffer)).toEqual([
    expect.any(SharedArrayBuffer),
    expect.any(SharedArrayBuffer),
    expect.any(SharedArrayBuffer),
  ]);
});
