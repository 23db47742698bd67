// A small HTTP server that only answers questions: what operator and router agents say to the kubelet, to Prometheus and to each other.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export interface GetServerOptions {
  /** The answer for a path without its query; undefined: there is no such path. What it throws becomes `problem(500, …)`. */
  readonly answer: (path: string) => Answer | undefined | Promise<Answer | undefined>;
  /** How a question that has no answer is told so. */
  readonly problem: (status: number, detail: string) => Answer;
}

/** The server, not yet listening. */
export function createGetServer(options: GetServerOptions): Server {
  return createServer((request, response) => {
    request.resume();
    answerTo(options, request).then(
      (answer) => send(request, response, answer),
      (error: unknown) => send(request, response, options.problem(500, textOf(error))),
    );
  });
}

async function answerTo({ answer, problem }: GetServerOptions, { method, url }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return problem(405, 'only GET');
  const [path = '/'] = (url ?? '/').split('?', 1);
  return (await answer(path)) ?? problem(404, 'not found');
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, body, contentType }: Answer): void {
  response.writeHead(status, { 'content-type': contentType }).end(method === 'HEAD' ? undefined : body);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
