// HAProxy's command line over its Unix socket: one command a connection, as HAProxy answers and hangs up.
import { createConnection } from 'node:net';

/** A command with its payload must fit in one of HAProxy's buffers (16 KiB); a larger one hangs the command line. */
export const MAX_COMMAND_BYTES = 15_000;
const DEADLINE_MS = 5_000;

/** HAProxy understood the connection but refused the command; `message` starts with its own words. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly answer: string;

  constructor(command: string, answer: string) {
    super(`${answer} (${command.split('\n', 1)[0] ?? ''})`);
    this.answer = answer;
  }
}

/** Nobody answers on the socket: HAProxy is not running (yet), stopping, or stuck. */
export class SocketError extends Error {
  override readonly name = 'SocketError';
}

export interface CommandLine {
  /**
   * The answer to one command, without the empty line that ends it.
   * @throws SocketError when HAProxy does not answer, RangeError for a command that is too long.
   */
  ask(command: string, signal: AbortSignal): Promise<string>;
}

/** The command line behind a socket file. */
export function openCommandLine(path: string): CommandLine {
  return {
    async ask(command, signal) {
      if (Buffer.byteLength(command) > MAX_COMMAND_BYTES) throw new RangeError('command exceeds a buffer of HAProxy');
      return converse(path, `${command}\n`, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]));
    },
  };
}

/** Runs a command whose success is announced by `expected`; without it by silence. Returns the answer. @throws CommandError for any other answer. */
export async function run(
  commandLine: CommandLine,
  command: string,
  signal: AbortSignal,
  expected = /^$/,
): Promise<string> {
  const answer = (await commandLine.ask(command, signal)).trim();
  if (!expected.test(answer)) throw new CommandError(command, answer);
  return answer;
}

function converse(path: string, line: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, signal });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString().replace(/\n+$/, '\n'));
    });
    socket.on('error', (cause) => {
      reject(new SocketError(`no answer from HAProxy at ${path}: ${cause.message}`, { cause }));
    });
    // Not `end`: newer versions take a half-closed connection for a client that left.
    socket.write(line);
  });
}
