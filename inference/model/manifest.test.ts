import { describe, expect, it } from 'vitest';
import { parseManifest } from './manifest.ts';

const withName = (name: unknown) => parseManifest(Buffer.from(JSON.stringify({ name })));

describe('the name of a model', () => {
  it.each([['retail'], ['team/retail'], ['Größe 4'], ['🙂'], ['a'.repeat(253)]])('may be %s', (name) => {
    expect(withName(name).name).toBe(name);
  });

  it('may be left out', () => {
    expect(parseManifest(Buffer.from('{}')).name).toBeUndefined();
  });

  it.each([[''], ['a'.repeat(254)], ['a\nb'], ['a\u0000'], ['a\u0085'], ['\ud800'], [7], [null], [['a']]])(
    'may not be %j',
    (name) => {
      expect(() => withName(name)).toThrow(/name: must be a text of 1 to 253 characters without control characters/);
    },
  );

  it.each([[' '], [' a'], ['a ']])('may not have a blank at its ends: %j', (name) => {
    expect(() => withName(name)).toThrow(/name: must not begin or end with a blank/);
  });
});
