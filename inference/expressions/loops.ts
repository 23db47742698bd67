// CEL's loops over a list, or over the keys of a map: each puts one element after the other into the place of its variable.
import type { JsonValue } from '../validation/python-json.ts';
import type { Evaluate, Frame } from './frame.ts';
import { truth } from './operators.ts';

type Loop = (frame: Frame, elements: readonly JsonValue[]) => JsonValue;
/** Makes the loop whose variable has this place; `parts` is what stands behind the variable. */
export type LoopOf = (place: number, parts: readonly [Evaluate, Evaluate]) => Loop;

/** By name and number of arguments, the variable among them. */
export const LOOPS: ReadonlyMap<string, LoopOf> = new Map<string, LoopOf>([
  ['map/2', (place, [transform]) => mapped(place, () => true, transform)],
  ['map/3', (place, [test, transform]) => mapped(place, test, transform)],
  ['filter/2', (place, [test]) => mapped(place, test, ({ slots }) => slots[place] ?? null)],
  ['all/2', (place, [test]) => compared(place, (frame) => !truth(test(frame)), 'none')],
  ['exists/2', (place, [test]) => compared(place, test, 'some')],
  ['exists_one/2', (place, [test]) => compared(place, test, 'one')],
]);

function mapped(place: number, test: Evaluate, transform: Evaluate): Loop {
  return (frame, elements) => {
    const found: JsonValue[] = [];
    for (const element of elements) {
      frame.slots[place] = element;
      if (truth(test(frame))) found.push(transform(frame));
    }
    return found;
  };
}

/** Whether the test holds for none, some or exactly one element; no further than it takes to know. */
function compared(place: number, test: Evaluate, wanted: 'none' | 'some' | 'one'): Loop {
  const enough = wanted === 'one' ? 2 : 1;
  return (frame, elements) => {
    let hits = 0;
    for (const element of elements) {
      frame.slots[place] = element;
      if (truth(test(frame))) hits += 1;
      if (hits === enough) break;
    }
    return wanted === 'none' ? hits === 0 : hits === 1;
  };
}
