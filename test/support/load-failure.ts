// What a test expects to fail, and why it did.
import { LoadError } from '../../inference/errors.ts';

/** The LoadError that the call throws. Throws where it succeeds, or throws something else. */
export async function loadFailure(call: Promise<unknown>): Promise<LoadError> {
  const error: unknown = await call.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  if (error instanceof LoadError) return error;
  throw new Error(`got ${String(error)}`);
}
