// One connection as long as all of its requests are plain: each is answered in the turn in which its last byte comes, by one write. The first that is not takes
// the connection to node:http, with all that was read and not answered, and there it stays.
import type { Socket } from 'node:net';
import type { AnswerHeads, HeadParts } from './answer-heads.ts';
import { BegunRequest } from './begun-request.ts';
import type { PlainRequest, PlainRequestReader, PlainRules } from './plain-request.ts';
import { takeReads } from './reads.ts';
import type { Take } from './reads.ts';

/** Its head has the lines of length, date and connection behind those that are given. */
export interface PlainAnswer extends HeadParts {
  readonly json: string;
  /** To be called when it has been written. */
  readonly written: () => void;
}

/** Where plain requests are answered. */
export interface PlainRoute extends PlainRules {
  /** undefined: not by this way at the moment. */
  readonly answer: (request: PlainRequest, body: Buffer) => PlainAnswer | undefined;
  /** Whether the answer on this connection has to be the last one. */
  readonly isLeaving: (socket: Socket) => boolean;
}

export interface WireOptions {
  readonly route: PlainRoute;
  readonly reader: PlainRequestReader;
  readonly heads: AnswerHeads;
  /** How long a connection may be idle. */
  readonly idleMs: number;
  /** How long the rest of a body is waited for here: node:http has limits of its own for slow clients. */
  readonly restMs: number;
  /** Gives the connection to node:http. */
  readonly handOver: (socket: Socket) => void;
  /** This connection is no longer of plain requests. */
  readonly left: (connection: WireConnection) => void;
}

/** The first request of a new connection is on its way. */
const NEW_MS = 1_000;

export class WireConnection {
  readonly #socket: Socket;
  readonly #options: WireOptions;
  /** Until then it is new, by `performance.now()`. */
  #newUntil = performance.now() + NEW_MS;
  #begun: BegunRequest | undefined;
  /** What has been read behind an answer that the client is to read first. */
  #rest: Buffer | undefined;
  #state: 'plain' | 'ended' | 'left' = 'plain';

  constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket;
    this.#options = options;
    takeReads(socket, this.#take);
    socket.on('end', this.#finish).on('timeout', this.#waited).on('error', this.#failed);
    socket.once('close', this.#leave);
    socket.setTimeout(options.idleMs);
  }

  /** Ends it, unless a request is on its way, or an answer. */
  endIfIdle(): void {
    const isBusy = this.#begun !== undefined || this.#socket.writableLength > 0;
    if (!isBusy && performance.now() >= this.#newUntil) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #take: Take = (bytes) => {
    switch (this.#state) {
      case 'plain':
        this.#read(bytes);
        return true;
      case 'left':
        return this.#socket.push(Buffer.from(bytes));
      case 'ended':
        return true;
    }
  };

  #read(bytes: Buffer): void {
    const begun = this.#begun;
    if (begun === undefined) {
      this.#answer(bytes);
      return;
    }
    begun.add(bytes);
    if (begun.isWhole) {
      this.#begun = undefined;
      this.#socket.setTimeout(this.#options.idleMs);
      this.#answer(begun.joined());
    } else if (begun.isLate(performance.now())) this.#handOver(begun.joined());
  }

  #answer(bytes: Buffer): void {
    const { route, reader } = this.#options;
    let at = 0;
    while (at < bytes.length) {
      const request = reader.read(bytes, at);
      if (request !== undefined && request.end > bytes.length) {
        this.#wait(bytes.subarray(at), request.end - at);
        return;
      }
      const answer = request && route.answer(request, bytes.subarray(request.bodyAt, request.end));
      if (request === undefined || answer === undefined) {
        // what node:http keeps of it, such as the beginning of another protocol, is there when others have been read
        this.#handOver(Buffer.from(bytes.subarray(at)));
        return;
      }
      if (!this.#send(answer)) return;
      at = request.end;
      if (this.#socket.isPaused()) {
        if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
    }
  }

  /** Many clients send the head by itself, and large bodies come in parts. */
  #wait(first: Buffer, bytes: number): void {
    const { restMs } = this.#options;
    this.#begun = new BegunRequest(first, bytes, performance.now() + restMs);
    this.#socket.setTimeout(restMs);
  }

  /** Whether more can be answered on this connection. */
  #send(answer: PlainAnswer): boolean {
    const socket = this.#socket;
    const { route, heads } = this.#options;
    const { json } = answer;
    this.#newUntil = 0;
    const isLast = route.isLeaving(socket);
    const length = Buffer.byteLength(json);
    const head = heads.of(answer, length, isLast);
    // as many bytes as letters: ASCII, which is written faster under its own name
    const isTaken = socket.write(head + json, length === json.length ? 'latin1' : 'utf8');
    answer.written();
    if (isLast) this.#end();
    else if (!isTaken) this.#untilRead();
    return !isLast;
  }

  #end(): void {
    this.#state = 'ended';
    this.#socket.destroySoon();
  }

  /** A client that does not read its answers is asked for no more until it does. */
  #untilRead(): void {
    const socket = this.#socket;
    socket.pause();
    socket.once('drain', () => {
      const rest = this.#rest;
      this.#rest = undefined;
      socket.resume();
      if (rest !== undefined) this.#answer(rest);
    });
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.#state = 'left';
    socket.off('end', this.#finish).off('timeout', this.#waited).off('error', this.#failed);
    socket.off('close', this.#leave).setTimeout(0);
    this.#leave();
    this.#options.handOver(socket);
    // node:http reads the socket beneath its stream from now on; this has been read already.
    socket.emit('data', bytes);
  }

  readonly #finish = (): void => {
    if (this.#begun === undefined) this.#socket.end();
    else {
      this.#handOver(this.#begun.joined());
      this.#socket.emit('end');
    }
  };

  readonly #waited = (): void => {
    if (this.#begun === undefined) this.destroy();
    else this.#handOver(this.#begun.joined());
  };

  readonly #failed = (): void => {
    // The connection closes by itself.
  };

  readonly #leave = (): void => {
    this.#options.left(this);
  };
}
