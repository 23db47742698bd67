// The public port for gRPC. Its sockets are ours, so that they are counted and drained like those of HTTP. What is spoken on them takes time and memory
// to load: that waits for the first client.
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Connections } from '../connections.ts';
import { portOf } from '../listening.ts';
import type { Address } from '../listening.ts';
import { portFailure } from '../start-error.ts';
import type { GrpcOptions, GrpcServer } from './server.ts';

export interface GrpcPort {
  /** Resolves to the port that it listens on. Throws StartError. */
  listen(address: Address): Promise<number>;
  /** Takes no further connection, lets calls end, and cuts off what is left at the limit. */
  close(limitMs: number): Promise<void>;
}

export function grpcPort(options: GrpcOptions & { readonly connections: Connections }): GrpcPort {
  let server: GrpcServer | undefined;
  let loading: Promise<GrpcServer> | undefined;
  const load = async () => (server = (await import('./server.ts')).createGrpcServer(options));
  const open = new Set<Socket>();
  const sockets = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (server === undefined) void takeLater(socket, (loading ??= load()));
    else server.take(socket);
  });
  const drain = () => {
    if (server !== undefined) server.drain();
    else void loading?.then((loaded) => loaded.drain());
  };
  options.connections.trackSockets(sockets, drain);
  return {
    async listen({ host, port, reusePort = false }) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      sockets.once('error', (error) => reject(portFailure('GRPC_PORT', host, port, error)));
      sockets.listen({ host, port, reusePort }, () => resolve(undefined));
      await promise;
      return portOf(sockets.address(), port);
    },
    async close(limitMs) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      sockets.close(() => resolve(undefined));
      drain();
      const limit = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, limitMs);
      await promise;
      clearTimeout(limit);
      server?.end();
    },
  };
}

/** What the client sends in the meantime stays with the socket. */
async function takeLater(socket: Socket, loading: Promise<GrpcServer>): Promise<void> {
  socket.on('error', () => socket.destroy());
  const server = await loading;
  if (!socket.destroyed) server.take(socket);
}
