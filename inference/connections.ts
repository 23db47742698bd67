// The connections of the public ports, and how they are ended without losing a request: an answer says `Connection: close`, the client comes back on a new one.
import type { Server } from 'node:http';
import type { Server as SocketServer, Socket } from 'node:net';

/** Drains whose ids are remembered: the operator asks again about the last one or two. */
const MAX_DRAINS = 8;

export class Connections {
  readonly #open = new Set<Socket>();
  /** Connections that a drain wants to end, by the id of the drain. */
  readonly #drains = new Map<string, Set<Socket>>();
  readonly #leaving = new WeakSet<Socket>();
  readonly #enders: (() => void)[] = [];
  readonly #ended = () => void (this.#inFlight -= 1);
  #inFlight = 0;
  #surplus = 0;
  #closing = false;

  track(server: Server): void {
    // Before the server's own listener, which may answer at once.
    server.prependListener('request', (_, response) => {
      this.#inFlight += 1;
      response.once('close', this.#ended);
    });
    this.#count(server);
  }

  /** Connections of another protocol, which `end` brings to their end without losing what is under way. */
  trackSockets(server: SocketServer, end: () => void): void {
    this.#count(server);
    this.#enders.push(end);
  }

  #count(server: SocketServer): void {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#forget(socket));
    });
  }

  get open(): number {
    return this.#open.size;
  }

  /** Requests of node:http whose answer is not written yet: one that is answered straight from the socket is never seen half done. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on every answer ends its connection: the process is going. */
  closeAll(): void {
    this.#closing = true;
    for (const end of this.#enders) end();
  }

  /** Ends so many connections of HTTP with their next answers: others can have them. */
  shed(count: number): void {
    this.#surplus = count;
  }

  /** Whether the answer on this connection has to be the last one. */
  isLeaving(socket: Socket): boolean {
    if (this.#surplus > 0) {
      this.#surplus -= 1;
      this.#leaving.add(socket);
    }
    return this.#closing || this.#leaving.has(socket);
  }

  /**
   * A new id begins a drain of the connections that are open now; a known one asks how that goes. Answers how many of them are still open. An idle
   * connection stays open until its next request: closing it could meet a request that is under way.
   */
  drain(id: string): number {
    const known = this.#drains.get(id);
    if (known !== undefined) return known.size;
    const sockets = new Set(this.#open);
    for (const socket of sockets) this.#leaving.add(socket);
    this.#drains.set(id, sockets);
    for (const end of this.#enders) end();
    const [oldest] = this.#drains.keys();
    if (this.#drains.size > MAX_DRAINS && oldest !== undefined) this.#drains.delete(oldest);
    return sockets.size;
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    for (const sockets of this.#drains.values()) sockets.delete(socket);
  }
}
