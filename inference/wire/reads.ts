// One buffer for what all connections of a thread read. node:net makes a new one for each read of a server's socket and takes it through the events of a
// stream, which costs more than to answer what was read. It has a shorter way, of which only clients' sockets can be told: the option `onread` of net.Socket.
import { Socket } from 'node:net';

/** As much as libuv reads at once. */
const BYTES = 64 * 1024;
const buffer = Buffer.allocUnsafeSlow(BYTES);

/** Called with what was read, which is there until it returns. False: no more for now. */
export type Take = (bytes: Buffer) => boolean;

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

/** Where a socket keeps its `onread`: under keys that nobody is given. */
const keys = onreadKeys();

/** Whether this Node has the shorter way for this socket. */
export function canTakeReads(socket: Socket): boolean {
  return keys !== undefined && handleOf(socket) !== undefined;
}

/** From now on `take` is called instead of `data`; for the life of the socket. Throws where that cannot be: see `canTakeReads`. */
export function takeReads(socket: Socket, take: Take): void {
  const handle = handleOf(socket);
  if (keys === undefined || handle === undefined) throw new Error('The reads of this socket cannot be taken');
  Reflect.set(socket, keys.buffer, buffer);
  Reflect.set(socket, keys.callback, (count: number) => take(buffer.subarray(0, count)));
  handle.useUserBuffer(buffer);
}

function onreadKeys(): { readonly buffer: PropertyKey; readonly callback: PropertyKey } | undefined {
  const onread = { buffer: new Uint8Array(1), callback: () => true };
  const socket = new Socket({ onread });
  const keyOf = (value: unknown) => Reflect.ownKeys(socket).find((key) => Reflect.get(socket, key) === value);
  const [place, callback] = [keyOf(onread.buffer), keyOf(onread.callback)];
  return place === undefined || callback === undefined ? undefined : { buffer: place, callback };
}

function handleOf(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle ? (handle as Handle) : undefined;
}
