import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, SLOTS } from './contract.ts';
import type { BucketRange } from './contract.ts';
import { bucketsOf, nextRanges, withoutEmpty } from './split.ts';
import type { SlotWeight } from './split.ts';

const weights = fc
  .uniqueArray(fc.record({ slot: fc.nat(SLOTS - 1), weight: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 8,
    selector: ({ slot }) => slot,
  })
  .filter((shares) => shares.some(({ weight }) => weight > 0));
const history = fc.array(weights, { minLength: 2, maxLength: 12 });

function replay(steps: readonly SlotWeight[][]): BucketRange[] | undefined {
  return steps.reduce<BucketRange[] | undefined>((ranges, shares) => nextRanges(ranges, shares), undefined);
}

function slotOf(ranges: readonly BucketRange[]): Int8Array {
  const slots = new Int8Array(BUCKETS).fill(-1);
  for (const { from, to, slot } of ranges) slots.fill(slot, from, to + 1);
  return slots;
}

function expectWhole(ranges: readonly BucketRange[]): void {
  let next = 0;
  for (const { from, to } of ranges) {
    expect(from).toBe(next);
    expect(to).toBeGreaterThanOrEqual(from);
    next = to + 1;
  }
  expect(next).toBe(BUCKETS);
}

function moves(before: readonly BucketRange[], after: readonly BucketRange[]): { from: number; to: number }[] {
  const [old, now] = [slotOf(before), slotOf(after)];
  return [...old.keys()].filter((b) => old[b] !== now[b]).map((b) => ({ from: old[b]!, to: now[b]! }));
}

describe('nextRanges', () => {
  it('lays the first split out in the order of the slots', () => {
    const ranges = nextRanges(undefined, [
      { slot: 3, weight: 10 },
      { slot: 0, weight: 90 },
    ]);

    expect(ranges).toEqual([
      { from: 0, to: 8999, slot: 0 },
      { from: 9000, to: 9999, slot: 3 },
    ]);
  });

  it('hands the left-over buckets to the largest remainders, ties to the lower slot', () => {
    const ranges = nextRanges(undefined, [
      { slot: 0, weight: 1 },
      { slot: 1, weight: 1 },
      { slot: 2, weight: 1 },
    ]);

    expect(Object.fromEntries(bucketsOf(ranges))).toEqual({ 0: 3334, 1: 3333, 2: 3333 });
  });

  it('moves one boundary between two variants, whatever the history', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 30 }), (percents) => {
        let ranges: BucketRange[] | undefined;
        for (const percent of percents) {
          ranges = nextRanges(ranges, [
            { slot: 0, weight: 100 - percent },
            { slot: 1, weight: percent },
          ]);
          expect(ranges.length).toBeLessThanOrEqual(2);
        }
      }),
    );
  });

  it('covers every bucket once with the exact share of each slot', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const ranges = replay(steps)!;
        const last = steps.at(-1)!;
        const sum = last.reduce((all, { weight }) => all + weight, 0);

        expectWhole(ranges);
        const counts = bucketsOf(ranges);
        for (const { slot, weight } of last) {
          expect(Math.abs((counts.get(slot) ?? 0) - (weight / sum) * BUCKETS)).toBeLessThan(1);
        }
        expect([...counts.keys()].every((slot) => last.some((share) => share.slot === slot))).toBe(true);
      }),
    );
  });

  it('moves buckets only from slots that lose to slots that gain, and no more than they gain', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const before = replay(steps.slice(0, -1))!;
        const after = nextRanges(before, steps.at(-1)!);

        const [old, now] = [bucketsOf(before), bucketsOf(after)];
        const change = (slot: number) => (now.get(slot) ?? 0) - (old.get(slot) ?? 0);
        const moved = moves(before, after);
        expect(moved.every(({ from, to }) => change(from) < 0 && change(to) > 0)).toBe(true);
        const gained = [...now.keys()].reduce((all, slot) => all + Math.max(0, change(slot)), 0);
        expect(moved.length).toBe(gained);
      }),
    );
  });

  it('depends neither on the order of the shares nor on anything but its input', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const before = replay(steps.slice(0, -1));

        expect(nextRanges(before, steps.at(-1)!.toReversed())).toEqual(nextRanges(before, steps.at(-1)!));
      }),
    );
  });

  it('changes nothing when the shares are already served', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const ranges = replay(steps)!;

        expect(nextRanges(ranges, steps.at(-1)!)).toEqual(ranges);
      }),
    );
  });

  it('stays small after hundreds of changes between eight variants', () => {
    fc.assert(
      fc.property(fc.array(weights, { minLength: 150, maxLength: 150 }), (steps) => {
        expect(replay(steps)!.length).toBeLessThan(1000);
      }),
      { numRuns: 5 },
    );
  });

  it.each([
    [[]],
    [[{ slot: 0, weight: 0 }]],
    [
      [
        { slot: 0, weight: -1 },
        { slot: 1, weight: 5 },
      ],
    ],
    [[{ slot: 0, weight: NaN }]],
  ])('refuses weights that divide nothing: %j', (shares) => {
    expect(() => nextRanges(undefined, shares)).toThrow(RangeError);
  });
});

describe('withoutEmpty', () => {
  const emptySlots = fc.uniqueArray(fc.nat(SLOTS - 1), { maxLength: 8 }).map((slots) => new Set(slots));

  it('gives the buckets of an empty slot to the others in proportion', () => {
    const ranges = nextRanges(undefined, [
      { slot: 0, weight: 60 },
      { slot: 1, weight: 20 },
      { slot: 2, weight: 20 },
    ]);

    const counts = bucketsOf(withoutEmpty(ranges, new Set([2])));

    expect(Object.fromEntries(counts)).toEqual({ 0: 7500, 1: 2500 });
  });

  it('leaves the ranges alone when every slot is empty', () => {
    const ranges = nextRanges(undefined, [
      { slot: 0, weight: 1 },
      { slot: 1, weight: 1 },
    ]);

    expect(withoutEmpty(ranges, new Set([0, 1]))).toEqual(ranges);
  });

  it('moves no bucket of a slot that has servers, and leaves none with an empty one', () => {
    fc.assert(
      fc.property(history, emptySlots, (steps, empty) => {
        const ranges = replay(steps)!;
        const served = withoutEmpty(ranges, empty);

        expectWhole(served);
        const someoneLeft = [...bucketsOf(ranges).keys()].some((slot) => !empty.has(slot));
        expect(moves(ranges, served).every(({ from }) => empty.has(from))).toBe(true);
        if (someoneLeft) expect([...bucketsOf(served).keys()].some((slot) => empty.has(slot))).toBe(false);
        else expect(served).toEqual(ranges);
      }),
    );
  });

  it('never gives buckets to a slot without a share', () => {
    const onlyOne: BucketRange[] = [{ from: 0, to: BUCKETS - 1, slot: 0 }];

    expect(withoutEmpty(onlyOne, new Set([0]))).toEqual(onlyOne);
  });
});
