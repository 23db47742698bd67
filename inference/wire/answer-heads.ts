// Heads of answers. Little of one changes from an answer to the next: what stays is put together once.
import { STATUS_CODES } from 'node:http';

/** What a head says, but for its body and its connection. */
export interface HeadParts {
  readonly status: number;
  /** Header lines that many answers have in common, each with CRLF. */
  readonly headers: string;
  readonly requestId: string;
}

export class AnswerHeads {
  readonly #date: () => string;
  readonly #keepAlive: string;
  #status = 0;
  #headers = '';
  #first = '';
  #dated = '';
  #last = '';

  /** @param date the time of day as a header has it. @param keepAlive what an answer says of its connection, but for the last one. */
  constructor(date: () => string, keepAlive: string) {
    this.#date = date;
    this.#keepAlive = keepAlive;
  }

  /** For a body of `length` bytes; in the order in which node:http writes it, with the empty line behind it. */
  of({ status, headers, requestId }: HeadParts, length: number, isLast: boolean): string {
    if (status !== this.#status || headers !== this.#headers) {
      this.#status = status;
      this.#headers = headers;
      this.#first = inOnePiece(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers}x-request-id: `);
    }
    const last = isLast ? `\r\nDate: ${this.#date()}\r\nConnection: close\r\n\r\n` : this.#keptAlive();
    return `${this.#first}${requestId}\r\ncontent-length: ${length}${last}`;
  }

  #keptAlive(): string {
    const date = this.#date();
    if (date !== this.#dated) {
      this.#dated = date;
      this.#last = inOnePiece(`\r\nDate: ${date}\r\nConnection: ${this.#keepAlive}\r\n\r\n`);
    }
    return this.#last;
  }
}

/** The text without the pieces that it was put together from, which would be walked through each time. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
