// Opening and closing the ports of a process.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { portFailure } from './start-error.ts';

/** Long enough for a request that is on its way on a connection that is new. */
const IDLE_CHECK_MS = 1_000;

/** Resolves to the port that it listens on, which `port: 0` leaves to the system. Throws StartError, which names the `variable` of the port. */
export async function listen(
  app: FastifyInstance,
  variable: 'PORT' | 'ADMIN_PORT',
  host: string,
  port: number,
): Promise<number> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw portFailure(variable, host, port, error);
  });
  const address: AddressInfo | string | null = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Ends connections as soon as they are idle, and cuts off what is left at the limit. */
export async function close(app: FastifyInstance, limitMs: number): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), limitMs);
  // Node does it once: a connection whose answer is just being written would stay until its keep-alive time is over.
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(limit);
    clearInterval(idle);
  }
}
