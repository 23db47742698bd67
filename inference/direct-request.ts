// A request whose body can be had without the machinery of streams, whose events and turns cost several times what reading a small body does.
import { IncomingMessage } from 'node:http';

const nothing = Buffer.alloc(0);

/** Made by node:http for each request of a server that is given this class. */
export class DirectRequest extends IncomingMessage {
  #callback: ((body: Buffer) => void) | undefined;
  #chunks: Buffer[] = [];

  /**
   * Calls back with the body, whose length node:http has checked. To be called by a listener of `request`, before anything of the body has come; there is no
   * `data` and no `end` then. A client that goes away before is forgotten.
   */
  whole(callback: (body: Buffer) => void): void {
    this.#callback = callback;
    // Says that it is read: node:http would read the rest of it itself.
    this._read(0);
  }

  /** Where node:http brings what it has received; null at the end. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    const callback = this.#callback;
    if (callback === undefined) return super.push(chunk, encoding);
    if (chunk !== null) {
      this.#chunks.push(chunk);
      return true;
    }
    const chunks = this.#chunks;
    // The object lives until the next request of its connection.
    this.#chunks = [];
    callback(chunks.length > 1 ? Buffer.concat(chunks) : (chunks[0] ?? nothing));
    return true;
  }
}
