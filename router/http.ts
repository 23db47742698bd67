// What the agent answers on AGENT_PORT: /applied for the operator, /readyz and /healthz for the kubelet, /metrics for Prometheus.
import type { Server } from 'node:http';
import { createGetServer, type Answer } from '../operator/runtime/get-server.ts';
import type { Agent } from './agent.ts';

export interface AgentServerDeps {
  readonly agent: Pick<Agent, 'applied' | 'unready' | 'isAlive'>;
  /** The Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly signal: AbortSignal;
}

/** The server, not yet listening. Errors are answered with `{"detail": text}`. */
export function createAgentServer(deps: AgentServerDeps): Server {
  return createGetServer({ answer: (path) => answerTo(deps, path), problem });
}

async function answerTo({ agent, metrics, signal }: AgentServerDeps, path: string): Promise<Answer | undefined> {
  switch (path) {
    case '/applied':
      return agent.applied(signal).then(
        (applied) => json(200, applied),
        (error: unknown) => problem(503, error instanceof Error ? error.message : String(error)),
      );
    case '/readyz':
      return agent.unready === undefined ? json(200, { status: 'ready' }) : problem(503, agent.unready);
    case '/healthz':
      return agent.isAlive ? json(200, { status: 'alive' }) : problem(503, 'the loop has stopped');
    case '/metrics':
      return { status: 200, body: await metrics(), contentType: 'text/plain; version=0.0.4; charset=utf-8' };
    default:
      return undefined;
  }
}

function problem(status: number, detail: string): Answer {
  return json(status, { detail });
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body), contentType: 'application/json' };
}
