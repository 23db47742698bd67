// How 10,000 hash buckets are divided between slots. A bucket is moved only when it must be, so that a key stays with
// its variant; the arithmetic is exact, so that the share asked for is the share served.
import { BUCKETS } from './contract.ts';
import type { BucketRange } from './contract.ts';

export interface SlotWeight {
  readonly slot: number;
  /** Relative; share = weight / sum of all weights. */
  readonly weight: number;
}

interface Part {
  slot: number;
  size: number;
}

/**
 * Shares of `total` units by weight: the largest-remainder method (Hamilton's). They add up to `total`; each differs from the exact
 * quota by less than one unit; equal remainders go to the lower slot.
 * @throws RangeError when no weight is positive, or one is negative or not finite.
 */
export function apportion(total: number, weights: readonly SlotWeight[]): Map<number, number> {
  const sum = weights.reduce((all, { weight }) => all + weight, 0);
  if (!(sum > 0) || weights.some(({ weight }) => !(weight >= 0) || !Number.isFinite(weight))) {
    throw new RangeError('a split needs weights of 0 or more, one of them positive');
  }
  const quotas = weights.map(({ slot, weight }) => {
    const exact = weight * total;
    const floor = Math.floor(exact / sum);
    return { slot, floor, remainder: exact - floor * sum };
  });
  const left = total - quotas.reduce((all, { floor }) => all + floor, 0);
  const winners = new Set(
    quotas
      .toSorted((a, b) => b.remainder - a.remainder || a.slot - b.slot)
      .slice(0, left)
      .map(({ slot }) => slot),
  );
  return new Map(quotas.map(({ slot, floor }) => [slot, floor + (winners.has(slot) ? 1 : 0)]));
}

/** Buckets of each slot that has any. */
export function bucketsOf(ranges: readonly BucketRange[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { from, to, slot } of ranges) counts.set(slot, (counts.get(slot) ?? 0) + to - from + 1);
  return counts;
}

/**
 * The ranges that give each slot its exact share of BUCKETS with the least movement: a bucket leaves only a slot that loses, and
 * goes only to a slot that gains. Between neighbours just their boundary moves. Without `previous` the slots lie in ascending order.
 * @throws RangeError as apportion does.
 */
export function nextRanges(previous: readonly BucketRange[] | undefined, shares: readonly SlotWeight[]): BucketRange[] {
  const target = apportion(BUCKETS, shares);
  if (previous === undefined || previous.length === 0) {
    const slots = [...target].toSorted(([a], [b]) => a - b);
    return toRanges(slots.map(([slot, size]) => ({ slot, size })));
  }
  const parts = toParts(previous);
  const gain = new Map(target);
  for (const { slot, size } of parts) gain.set(slot, (gain.get(slot) ?? 0) - size);
  return toRanges(giveTails(moveBoundaries(parts, gain), gain));
}

/**
 * The ranges actually served while some slots have no server: the buckets of an empty slot go to the other slots in proportion to
 * what these have; no other bucket moves. Depends on its input only, so keys return when the slot does. When nobody is left to
 * take them (every slot with buckets is empty) the ranges come back unchanged.
 */
export function withoutEmpty(ranges: readonly BucketRange[], emptySlots: ReadonlySet<number>): BucketRange[] {
  const counts = bucketsOf(ranges);
  const heirs = [...counts].filter(([slot]) => !emptySlots.has(slot)).map(([slot, weight]) => ({ slot, weight }));
  const orphans = [...counts].reduce((all, [slot, count]) => all + (emptySlots.has(slot) ? count : 0), 0);
  if (heirs.length === 0 || orphans === 0) return toRanges(toParts(ranges));
  const gain = apportion(orphans, heirs);
  for (const [slot, count] of counts) if (emptySlots.has(slot)) gain.set(slot, -count);
  return toRanges(giveTails(moveBoundaries(toParts(ranges), gain), gain));
}

function toParts(ranges: readonly BucketRange[]): Part[] {
  return ranges.map(({ from, to, slot }) => ({ slot, size: to - from + 1 }));
}

/** Parts laid end to end; empty ones vanish, neighbours of one slot become one range. */
function toRanges(parts: readonly Part[]): BucketRange[] {
  const ranges: BucketRange[] = [];
  let from = 0;
  for (const { slot, size } of parts) {
    if (size === 0) continue;
    const last = ranges.at(-1);
    if (last?.slot === slot) last.to += size;
    else ranges.push({ from, to: from + size - 1, slot });
    from += size;
  }
  return ranges;
}

/** Moves boundaries between a slot that loses and a neighbour that gains; `gain` keeps what is still to be moved. */
function moveBoundaries(parts: readonly Part[], gain: Map<number, number>): Part[] {
  const moved = parts.map((part) => ({ ...part }));
  let again = true;
  while (again) {
    again = false;
    for (let index = 1; index < moved.length; index += 1) {
      const [left, right] = [moved[index - 1], moved[index]];
      if (left === undefined || right === undefined) continue;
      if (shift(left, right, gain) || shift(right, left, gain)) again = true;
    }
    // A part that gave everything away no longer separates its neighbours.
    for (let index = moved.length - 1; index >= 0; index -= 1) if (moved[index]?.size === 0) moved.splice(index, 1);
  }
  return moved;
}

function shift(loser: Part, winner: Part, gain: Map<number, number>): boolean {
  const surplus = Math.max(0, -(gain.get(loser.slot) ?? 0));
  const wanted = Math.max(0, gain.get(winner.slot) ?? 0);
  const size = Math.min(surplus, wanted, loser.size);
  if (size === 0) return false;
  loser.size -= size;
  winner.size += size;
  gain.set(loser.slot, (gain.get(loser.slot) ?? 0) + size);
  gain.set(winner.slot, (gain.get(winner.slot) ?? 0) - size);
  return true;
}

/** What no boundary could move: losers give from the ends of their last parts, winners in ascending order take. */
function giveTails(parts: readonly Part[], gain: Map<number, number>): Part[] {
  const winners = [...gain]
    .filter(([, wanted]) => wanted > 0)
    .map(([slot]) => ({ slot, size: 0 }))
    .toSorted((a, b) => a.slot - b.slot);
  const given: Part[] = [];
  for (const part of parts.toReversed()) {
    const kept = { ...part };
    const pieces: Part[] = [];
    for (const winner of winners) {
      const piece = { ...winner };
      if (shift(kept, piece, gain)) pieces.unshift(piece);
    }
    given.unshift(kept, ...pieces);
  }
  return given;
}
