import { expect, it } from 'vitest';
import { Agreement, Disagreements } from './agreement.ts';

const pair = (version: string, peerVersion: string) => ({ version, peerVersion });
const compared = (rows: number, disagreeing: number) => ({ rows, disagreeing, differences: [] });

it('adds up by the versions that have met', () => {
  const agreement = new Agreement();

  agreement.add(pair('1', 'a'), compared(3, 1));
  agreement.add(pair('1', 'b'), compared(2, 0));
  agreement.add(pair('1', 'a'), compared(1, 1));

  expect(agreement.pairs()).toEqual([
    { version: '1', peerVersion: 'b', rows: 2, agreeing: 2 },
    { version: '1', peerVersion: 'a', rows: 4, agreeing: 2 },
  ]);
  expect(agreement.totals()).toEqual({ agree: 4, disagree: 2 });
});

it('remembers four pairs, those that met last, and the totals of all', () => {
  const agreement = new Agreement();

  for (const version of ['1', '2', '3', '4', '1', '5']) agreement.add(pair(version, 'a'), compared(1, 0));

  expect(agreement.pairs().map(({ version }) => version)).toEqual(['3', '4', '1', '5']);
  expect(agreement.totals()).toEqual({ agree: 6, disagree: 0 });
});

it('remembers the last 20 disagreements, newest first', () => {
  const disagreements = new Disagreements();
  const disagreed = { time: '', path: '', peer: '', version: '', peerVersion: '', row: 0, ours: 0, theirs: 1, rows: 1 };

  for (let at = 0; at < 25; at += 1) disagreements.add({ ...disagreed, requestId: String(at) });

  expect(disagreements.last.map(({ requestId }) => requestId)).toEqual(
    Array.from({ length: 20 }, (_, at) => String(24 - at)),
  );
});
