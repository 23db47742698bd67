import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkMemory, largestIn, peakOf } from './memory.ts';

const MiB = 2 ** 20;
const NAMES = ['model.joblib', 'model.json', 'model.ubj', 'model.bst', 'model.txt', 'model.onnx', 'model.pkl'];

it.each([
  ['model.joblib', 350],
  ['model.txt', 600],
  ['model.json', 700],
  ['model.ubj', 950],
  ['model.bst', 950],
  ['model.onnx', 1650],
])('a file of 100 MiB called %s takes %i MiB', (name, peak) => {
  expect(peakOf(name, 100 * MiB) / MiB).toBe(peak);
});

it('a small file takes little more than the thread that reads it', () => {
  expect(peakOf('model.json', 50_000) / MiB).toBeLessThan(12);
});

it('refuses what does not fit beside what is in use, and says how much is needed and how much there is', () => {
  const memory = { limit: 1024 * MiB, used: 400 * MiB };

  expect(() => checkMemory('model.json', 110 * MiB, memory)).toThrow(
    'Reading model.json (110 MiB) takes up to 765 MiB beside the 400 MiB in use, the limit of 1024 MiB leaves 624 MiB: raise the memory limit to 1165 MiB',
  );
  expect(() => checkMemory('model.json', 110 * MiB, { ...memory, limit: 1165 * MiB })).not.toThrow();
  expect(() => checkMemory('model.json', 110 * MiB, { ...memory, used: 250 * MiB })).not.toThrow();
  expect(() => checkMemory('model.json', 1, { limit: MiB, used: 2 * MiB })).toThrow('leaves 0 MiB');
});

it('the largest file that fits is just that', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.nat(4096), fc.nat(4096), (name, limit, used) => {
      const memory = { limit: limit * MiB, used: used * MiB };
      const most = largestIn(name, memory);
      expect(() => checkMemory(name, most + 1, memory)).toThrow();
      if (most > 0) expect(() => checkMemory(name, most, memory)).not.toThrow();
    }),
  );
});
