// What never becomes a request: bytes that are no HTTP, headers that are too long or too slow. There is no address yet, so the port decides on the form.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problemBody } from './problems.ts';
import type { ProblemForm } from './problems.ts';

const STATUS: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Answers on the bare connection, and ends it: what follows on it cannot be told apart. */
export function answerMalformed(
  { code }: { readonly code: string },
  socket: Pick<Socket, 'destroyed' | 'writable' | 'write' | 'destroy'>,
  form: ProblemForm,
  requestId: string,
): void {
  if (code === 'ECONNRESET' || socket.destroyed) return;
  const status = STATUS[code] ?? 400;
  // The words of uvicorn, under which the Python service runs.
  const detail = status === 400 ? 'Invalid HTTP request received.' : (STATUS_CODES[status] ?? '');
  const body = JSON.stringify(problemBody({ status, detail }, form, requestId));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}
