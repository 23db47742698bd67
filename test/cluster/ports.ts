// Free ports on loopback, for an instance that has no network namespace of its own.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Asks the kernel for `count` different free ports. They are held until all are known, then given up to be used at once. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(async (server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
}
