import { expect, it } from 'vitest';
import { clip, finding, stampConditions } from './conditions.ts';

const T0 = Date.parse('2026-01-01T00:00:00.250Z');

it('moves lastTransitionTime only when the status flips, not with reason or message', () => {
  const first = stampConditions(undefined, [finding('Ready', false, 'Pending', 'a')], 1, T0);
  const second = stampConditions(first, [finding('Ready', false, 'Loading', 'b')], 2, T0 + 5000);
  const third = stampConditions(second, [finding('Ready', true, 'Ready', 'c')], 2, T0 + 9000);

  expect(first[0]).toMatchObject({ lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 });
  expect(second[0]).toMatchObject({
    reason: 'Loading',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 2,
  });
  expect(third[0]?.lastTransitionTime).toBe('2026-01-01T00:00:09Z');
});

it('keeps one order and drops a condition that is no longer found', () => {
  const found = [
    finding('TrafficApplied', true, 'Applied', ''),
    finding('Stalled', true, 'X', ''),
    finding('Ready', false, 'X', ''),
  ];
  const conditions = stampConditions(undefined, found, 1, T0);
  expect(conditions.map(({ type }) => type)).toEqual(['Ready', 'Stalled', 'TrafficApplied']);
  expect(stampConditions(conditions, found.slice(0, 1), 1, T0).map(({ type }) => type)).toEqual(['TrafficApplied']);
});

it('gives the same conditions for the same findings, so that nothing is written', () => {
  const found = [finding('Ready', 'Unknown', 'Pending', 'x'.repeat(500))];
  const once = stampConditions(undefined, found, 1, T0);
  expect(stampConditions(once, found, 1, T0 + 3_600_000)).toEqual(once);
});

it('cuts messages at 256 characters', () => {
  expect(clip('x'.repeat(300))).toHaveLength(256);
  expect(clip('short')).toBe('short');
});

it('leaves no half of a character where it cuts: the API server would store another one, and the status would differ for ever', () => {
  expect(clip(`${'a'.repeat(254)}😀 and more`).isWellFormed()).toBe(true);
});
