import { describe, expect, it } from 'vitest';
import { Claims, describeShares, quantile, renderClaims, renderQuotes, shareErrorPoints } from './claims.ts';

describe('Claims', () => {
  it('tells which claims are broken', () => {
    const claims = new Claims();
    claims.add({ claim: 'a', asked: '0', measured: '0', ok: true });
    claims.add({ claim: 'b', asked: '0', measured: '1', ok: false });

    expect(claims.broken.map(({ claim }) => claim)).toEqual(['b']);
  });

  it('keeps the last figure of a name, in the order of first mention', () => {
    const claims = new Claims();
    claims.row('requests', 1, 'count');
    claims.row('failed_requests', 0, 'count');
    claims.row('requests', 2, 'count');

    expect(claims.rows).toEqual([
      { name: 'requests', value: 2, unit: 'count' },
      { name: 'failed_requests', value: 0, unit: 'count' },
    ]);
  });
});

it('renders a table in which a broken claim cannot be overlooked, with each note once', () => {
  const text = renderClaims([
    { claim: 'requests failed', asked: '0', measured: '3', ok: false, note: 'no retry' },
    { claim: 'restarts', asked: '0', measured: '0', ok: true },
    { claim: 'wrong answers', asked: '0', measured: '0', ok: true, note: 'no retry' },
  ]);

  expect(text.split('\n')).toEqual([
    'claim                asked  measured  ok',
    '───────────────────  ─────  ────────  ───',
    'requests failed (1)  0      3         NO',
    'restarts             0      0         yes',
    'wrong answers (1)    0      0         yes',
    '',
    '(1) no retry',
    '',
  ]);
});

it('breaks long notes into lines', () => {
  const note = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
  const lines = renderClaims([{ claim: 'a', asked: '', measured: '', ok: true, note }])
    .trimEnd()
    .split('\n')
    .slice(4);

  expect(lines.every((line) => line.length <= 118)).toBe(true);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(`(1) ${note}`);
});

it('quotes commands like a terminal', () => {
  const claims = new Claims();
  claims.quote('kubectl get mdep', 'NAME\nretail\n\n');
  claims.quote('kubectl get events', 'none');

  expect(renderQuotes(claims.quotes)).toBe('$ kubectl get mdep\nNAME\nretail\n\n$ kubectl get events\nnone\n');
});

describe('shareErrorPoints', () => {
  it.each([
    [{ blue: 90, green: 10 }, { blue: 9000, green: 1000 }, 0],
    [{ blue: 90, green: 10 }, { blue: 8900, green: 1100 }, 1],
    [{ blue: 1, green: 1 }, { blue: 5100, green: 4900 }, 1],
    [{ blue: 0, green: 100 }, { green: 10_000 }, 0],
    [{ blue: 0, green: 100 }, { blue: 1, green: 9_999 }, 0.01],
    [{ blue: 50, green: 50 }, {}, 50],
    [{ blue: 100 }, { blue: 50, other: 50 }, 50],
  ])('of weights %o and keys %o is %d', (weights, keys, points) => {
    expect(shareErrorPoints(weights, keys)).toBeCloseTo(points, 9);
  });
});

it('takes quantiles by nearest rank', () => {
  expect([quantile([3, 1, 2], 0.5), quantile([1, 2, 3, 4], 0.5), quantile([5], 0.9)]).toEqual([2, 2, 5]);
  expect(quantile([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.9)).toBe(90);
  expect(quantile([], 0.5)).toBeNaN();
});

it('describes shares in percent', () => {
  expect(describeShares({ green: 987, blue: 9013 })).toBe('blue 90.13 %, green 9.87 %');
});
