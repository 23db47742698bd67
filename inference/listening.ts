// Opening and closing the ports of a process.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { portFailure } from './start-error.ts';

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

/** Ends idle connections at once, waits for the others, and cuts off what is left at the limit. */
export async function close(app: FastifyInstance, limitMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), limitMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
