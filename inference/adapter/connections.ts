// The connections of the container beside us, from the kernel's table of the network namespace that we share with it. We can count them; only the container
// itself can end them.
import { readFile } from 'node:fs/promises';

/** Drains whose ids are remembered: the operator asks again about the last one or two. */
const MAX_DRAINS = 8;
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const ESTABLISHED = '01';

export class NeighbourConnections {
  readonly #port: number;
  readonly #read: () => Promise<readonly string[]>;
  readonly #drains = new Map<string, ReadonlySet<string>>();

  /** `read` gives the kernel's tables, in tests others. */
  constructor(port: number, read: () => Promise<readonly string[]> = readTables) {
    this.#port = port;
    this.#read = read;
  }

  /** A new id remembers the connections that are open now; a known one asks how many of those still are. */
  async drain(id: string): Promise<number> {
    const open = openPeers(await this.#read(), this.#port);
    const known = this.#drains.get(id);
    if (known !== undefined) return [...known].filter((peer) => open.has(peer)).length;
    this.#drains.set(id, open);
    const [oldest] = this.#drains.keys();
    if (this.#drains.size > MAX_DRAINS && oldest !== undefined) this.#drains.delete(oldest);
    return open.size;
  }
}

/** Peers of the established connections of a local port, without those from this machine, which are our own calls and probes. */
export function openPeers(tables: readonly string[], port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const peers = new Set<string>();
  for (const line of tables.flatMap((table) => table.split('\n'))) {
    const [, local = '', peer = '', state] = line.trim().split(/\s+/);
    if (state === ESTABLISHED && local.endsWith(suffix) && !isLoopback(peer)) peers.add(peer);
  }
  return peers;
}

/** Addresses are hexadecimal in the byte order of the machine, four bytes at a time: 127.0.0.1 ends in 7F. */
function isLoopback(peer: string): boolean {
  const [address = ''] = peer.split(':');
  const ipv4 = address.length === 32 && address.startsWith('0000000000000000FFFF0000') ? address.slice(24) : address;
  return ipv4.length === 8 ? ipv4.endsWith('7F') : address === '00000000000000000000000001000000';
}

/** Where there is no such table, there is nothing that could be counted. */
async function readTables(): Promise<readonly string[]> {
  return Promise.all(TABLES.map(async (path) => readFile(path, 'latin1').catch(() => '')));
}
