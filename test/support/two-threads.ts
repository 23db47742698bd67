// Servers with two serving threads, and which of them has answered.
import type { Reply } from './inference-rig.ts';

export const TWO_THREADS = { SERVING_THREADS: '2' };
/** Which thread gets a connection is chance: so each request has its own. */
export const NEW_CONNECTION = { connection: 'close' };

/** Request ids that a server makes begin with a name of the thread. */
export function threadOf({ headers }: Pick<Reply, 'headers'>): string {
  return headers.get('x-request-id')?.slice(0, 13) ?? '';
}

/** Asks until both threads have answered: one answer of each. `ask` has to use a new connection. */
export async function byBoth(ask: () => Promise<Reply>): Promise<readonly Reply[]> {
  const answers = new Map<string, Reply>();
  while (answers.size < 2) {
    const answer = await ask();
    answers.set(threadOf(answer), answer);
  }
  return [...answers.values()];
}
