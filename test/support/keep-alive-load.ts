// Load as applications make it: keep-alive connections, POST, no retry. Whatever is not a 200, or not right, counts as failed.
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly variant: string | undefined;
  readonly version: string | undefined;
  readonly requestId: string | undefined;
  readonly body: string;
}

/** One POST. Rejects as node:http does. */
export function post(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  agent?: Agent,
  body = '{"basket_items":{}}',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(agent && { agent }),
    };
    const sent = request(url, options, (response) => {
      let said = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (said += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const one = (name: string) => response.headers[name]?.toString();
        resolve({
          status: response.statusCode ?? 0,
          variant: one('x-model-variant'),
          version: one('x-model-version'),
          requestId: one('x-request-id'),
          body: said,
        });
      });
    });
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer within 10 s')));
    sent.on('error', reject);
    sent.end(body);
  });
}

export interface LoadResult {
  readonly requests: number;
  /** What went wrong → how often. Empty: nothing failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly variants: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, number>>;
}

export interface Load {
  readonly sent: () => number;
  /** Resolves when every request has its answer. */
  stop(): Promise<LoadResult>;
}

export interface LoadOptions {
  readonly connections: number;
  /** Each client pauses for up to so long between its requests. */
  readonly thinkMs: number;
  /** Port to which the next new connection goes, as a Service decides; open ones stay where they are. Default: that of the URL. */
  readonly port?: () => number;
  readonly body?: string;
  /** Looks at every 200. */
  readonly isRight?: (answer: Answer) => boolean;
}

/** A keep-alive connection, opened anew only when the other side ended it. */
function oneConnection(port?: () => number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  if (port !== undefined) agent.createConnection = () => connect(port(), '127.0.0.1');
  return agent;
}

export function startLoad(url: string, { connections, thinkMs, port, body, isRight = () => true }: LoadOptions): Load {
  let running = true;
  let requests = 0;
  const failures: Record<string, number> = {};
  const variants: Record<string, number> = {};
  const versions: Record<string, number> = {};
  const count = (counts: Record<string, number>, key: string) => (counts[key] = (counts[key] ?? 0) + 1);
  const take = (answer: Answer) => {
    if (answer.status !== 200 || !isRight(answer)) return void count(failures, `${answer.status} ${answer.body}`);
    count(variants, answer.variant ?? 'none');
    count(versions, answer.version ?? 'none');
  };
  const client = async (index: number) => {
    const agent = oneConnection(port);
    for (let turn = 0; running; turn += 1) {
      requests += 1;
      await post(url, { 'x-user-id': `user-${index}-${turn}` }, agent, body).then(
        take,
        (error: unknown) => void count(failures, String(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * thinkMs));
    }
    agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: connections }, (_, index) => client(index)));
  return {
    sent: () => requests,
    async stop() {
      running = false;
      await clients;
      return { requests, failures, variants, versions };
    },
  };
}
