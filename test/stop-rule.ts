// What signals to stop mean. Ctrl-C and `timeout` reach the whole process group, and the launcher passes its own on: one wish comes several times.

/** How long a clean-up may take undisturbed. */
export const UNDISTURBED_MS = 10_000;

export type Meaning = 'begin' | 'ignore' | 'kill';

/** For each signal in turn: the first begins the clean-up, repeats are ignored, and from {@link UNDISTURBED_MS} on they kill. `now` in ms. */
export function stopRule(now: () => number): () => Meaning {
  let begunMs: number | undefined;
  return () => {
    if (begunMs !== undefined) return now() - begunMs < UNDISTURBED_MS ? 'ignore' : 'kill';
    begunMs = now();
    return 'begin';
  };
}
