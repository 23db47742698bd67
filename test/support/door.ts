// A way to a server that a test can shut, for a server that other tests share.
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Door {
  /** URL of our port. */
  readonly endpoint: string;
  open(): Promise<void>;
  /** Cuts what is open and refuses what comes. */
  close(): Promise<void>;
}

/** Opens a port on loopback that leads to `target`, a URL. */
export async function openDoor(target: string): Promise<Door> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let own = 0;
  const open = async () => {
    const next = createServer((inside) => {
      const outside = connect(Number(port), hostname);
      for (const socket of [inside, outside]) {
        sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => sockets.delete(socket));
      }
      inside.pipe(outside).pipe(inside);
    });
    await new Promise<void>((resolve) => next.listen(own, '127.0.0.1', resolve));
    const address = next.address();
    own = typeof address === 'object' && address !== null ? address.port : 0;
    server = next;
  };
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    const closing = server;
    server = undefined;
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
  };
  await open();
  return { open, close, endpoint: `http://127.0.0.1:${own}` };
}
