// Conditions, as kstatus and kubectl wait read them. `Reconciling` and `Stalled` are there only while true.
import { CONDITION_TYPES, MAX_MESSAGE, type Condition } from './status.ts';

export type ConditionType = Condition['type'];

/** A condition before it is stamped with generation and time. */
export interface Finding {
  readonly type: ConditionType;
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

/** A finding; a boolean status becomes `True` or `False`. */
export function finding(
  type: ConditionType,
  status: Condition['status'] | boolean,
  reason: string,
  message: string,
): Finding {
  const value = typeof status === 'boolean' ? (status ? 'True' : 'False') : status;
  return { type, status: value, reason, message };
}

/**
 * Stamps findings into conditions: `lastTransitionTime` moves only when the status flips, messages are cut to 256 characters, the order is fixed.
 * The same findings and generation give the same conditions, so that nothing is written for nothing.
 */
export function stampConditions(
  before: readonly Condition[] | undefined,
  findings: readonly Finding[],
  generation: number,
  now: number,
): Condition[] {
  const known = new Map((before ?? []).map((condition) => [condition.type, condition]));
  const time = new Date(Math.floor(now / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return [...findings]
    .sort((a, b) => CONDITION_TYPES.indexOf(a.type) - CONDITION_TYPES.indexOf(b.type))
    .map(({ type, status, reason, message }) => {
      const last = known.get(type);
      return {
        type,
        status,
        observedGeneration: generation,
        reason,
        message: clip(message),
        lastTransitionTime: last?.status === status ? last.lastTransitionTime : time,
      };
    });
}

/** Cuts a text for status and events, at most 256 characters. Half a character would come back from the API server as another one, for ever new. */
export function clip(text: string): string {
  return (text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`).toWellFormed();
}
