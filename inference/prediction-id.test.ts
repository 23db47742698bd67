import { expect, it } from 'vitest';
import { predictionIds } from './prediction-id.ts';

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it('is a UUID of version 4, another one each time', () => {
  const next = predictionIds();
  const ids = Array.from({ length: 2_000 }, next);

  for (const id of ids) expect(id).toMatch(UUID4);
  expect(new Set(ids)).toHaveProperty('size', ids.length);
});

it('has every digit wherever a digit is free', () => {
  const next = predictionIds();
  const seen = Array.from({ length: 36 }, () => new Set<string>());
  for (let count = 0; count < 2_000; count += 1) {
    const id = next();
    for (const [at, digits] of seen.entries()) digits.add(id.charAt(at));
  }

  expect(seen.map(({ size }) => size).join(' ')).toBe(
    'XXXXXXXX - XXXX - vXXX - wXXX - XXXXXXXXXXXX'
      .replaceAll(' ', '')
      .replaceAll(/./g, (kind) => ({ X: '16 ', '-': '1 ', v: '1 ', w: '4 ' })[kind] ?? '')
      .trimEnd(),
  );
});
