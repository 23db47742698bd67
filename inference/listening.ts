// Opening and closing the ports of a process.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { portFailure } from './start-error.ts';

/** Long enough for a request that is on its way on a connection that is new. */
const IDLE_CHECK_MS = 1_000;

export interface Address {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Other threads of this process listen on the same port: the kernel divides new connections between them. */
  readonly reusePort?: boolean;
}

/** Resolves to the port that it listens on. Throws StartError, which names the `variable` of the port. */
export async function listen(
  app: FastifyInstance,
  variable: 'PORT' | 'ADMIN_PORT',
  { host, port, reusePort = false }: Address,
): Promise<number> {
  await app.listen({ host, port, ...(reusePort && { reusePort }) }).catch((error: unknown) => {
    throw portFailure(variable, host, port, error);
  });
  return portOf(app.server.address(), port);
}

/** A port that nobody listens on: for `reusePort`, with which another process would share it unnoticed. Throws StartError. */
export async function freePort(variable: 'PORT' | 'GRPC_PORT', { host, port }: Address): Promise<number> {
  const alone = createServer().listen({ host, port });
  await once(alone, 'listening').catch((error: unknown) => {
    throw portFailure(variable, host, port, error);
  });
  const free = portOf(alone.address(), port);
  await new Promise((resolve) => alone.close(resolve));
  return free;
}

/** The port that is listened on. */
export function portOf(address: AddressInfo | string | null, fallback: number): number {
  return typeof address === 'object' && address !== null ? address.port : fallback;
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
