// An HTTP server that answers plain requests straight from the socket, for less than half of what node:http takes for one, and leaves all others to node:http.
import { Server } from 'node:http';
import type { RequestListener, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { httpDates } from '../clock.ts';
import { AnswerHeads } from './answer-heads.ts';
import { PlainRequestReader } from './plain-request.ts';
import { canTakeReads } from './reads.ts';
import { WireConnection } from './wire-connection.ts';
import type { PlainRoute } from './wire-connection.ts';

/** Of a server, with what an idle connection is given. */
export interface WireServerOptions extends ServerOptions {
  readonly keepAliveTimeout: number;
  /** How long the rest of a body is waited for in front of node:http, in milliseconds. */
  readonly restMs?: number;
}

const REST_MS = 2_000;
/** An idle connection is kept a little longer than its client is told: as node:http does, so that no request meets its end. */
const GRACE_MS = 1_000;

export class WireServer extends Server {
  readonly #connections = new Set<WireConnection>();

  constructor(options: WireServerOptions, listener: RequestListener, route: PlainRoute) {
    super(options, listener);
    const usual = this.listeners('connection');
    this.removeAllListeners('connection');
    const keepAlive = `keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveTimeout / 1000)}`;
    const how = {
      route,
      reader: new PlainRequestReader(route),
      heads: new AnswerHeads(httpDates(), keepAlive),
      idleMs: options.keepAliveTimeout + GRACE_MS,
      restMs: options.restMs ?? REST_MS,
      handOver: (socket: Socket) => {
        for (const listener of usual) Reflect.apply(listener, this, [socket]);
      },
      left: (connection: WireConnection) => void this.#connections.delete(connection),
    };
    this.on('connection', (socket: Socket) => {
      if (canTakeReads(socket)) this.#connections.add(new WireConnection(socket, how));
      else how.handOver(socket);
    });
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    for (const connection of this.#connections) connection.endIfIdle();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const connection of this.#connections) connection.destroy();
  }
}
