// What the agent answers on AGENT_PORT: /applied for the operator, /readyz and /healthz for the kubelet, /metrics for Prometheus.
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { Agent } from './agent.ts';

export interface AgentServerDeps {
  readonly agent: Pick<Agent, 'applied' | 'unready' | 'isAlive'>;
  /** The Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly type?: string;
}

/** The server, not yet listening. Errors are answered with `{"detail": text}`. */
export function createAgentServer(deps: AgentServerDeps): Server {
  return createServer((request, response) => {
    request.resume();
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const answer = request.method === 'GET' ? answerTo(deps, path) : Promise.resolve(problem(405, 'only GET'));
    answer.then(
      (what) => send(response, what),
      (error: unknown) => send(response, problem(503, error instanceof Error ? error.message : String(error))),
    );
  });
}

async function answerTo({ agent, metrics, signal }: AgentServerDeps, path: string): Promise<Answer> {
  switch (path) {
    case '/applied':
      return { status: 200, body: await agent.applied(signal) };
    case '/readyz':
      return agent.unready === undefined ? { status: 200, body: { status: 'ready' } } : problem(503, agent.unready);
    case '/healthz':
      return agent.isAlive ? { status: 200, body: { status: 'alive' } } : problem(503, 'the loop has stopped');
    case '/metrics':
      return { status: 200, body: await metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' };
    default:
      return problem(404, 'not found');
  }
}

function problem(status: number, detail: string): Answer {
  return { status, body: { detail } };
}

function send(response: ServerResponse, { status, body, type }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': type ?? 'application/json' }).end(text);
}
