// Several pieces of work at once, of which none is left running behind the caller's back.

type Work<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Runs all at the same time. When one fails the others are told to stop, and only when all have ended the first error is thrown: what is cleaned up
 * afterwards stays clean.
 */
export async function together<T extends readonly unknown[]>(
  signal: AbortSignal | undefined,
  ...works: { [K in keyof T]: Work<T[K]> }
): Promise<T> {
  const failure = new AbortController();
  const combined = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const errors: unknown[] = [];
  const running = works.map(async (work) => {
    try {
      return await work(combined);
    } catch (error) {
      errors.push(error);
      failure.abort(error);
      return undefined;
    }
  });
  const results = await Promise.all(running);
  if (errors.length > 0) throw errors[0];
  // Each element is what its work has returned: nothing has failed.
  return results as unknown as T;
}
