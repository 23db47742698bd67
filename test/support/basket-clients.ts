// A few clients that put baskets to a server without pause, and check each answer against what scikit-learn says of the version that the answer names.
import { Agent, request } from 'node:http';
import * as z from 'zod';
import type { Basket } from '../load/contract.ts';

export interface Tally {
  readonly answered: number;
  /** By status, or by the code of the broken connection. */
  readonly failed: Readonly<Record<string, number>>;
  /** Answers that do not belong to the version that they name. */
  readonly wrong: number;
  /** Versions that answered. */
  readonly versions: readonly string[];
}

export interface Clients {
  /** Since the last call of this. */
  count(): Tally;
  stop(): Promise<Tally>;
}

const Answer = z.object({ sensitivity: z.string(), confidence: z.number(), model_version: z.string() });

/** `pauseMs` between the requests of one client. */
export function startClients(url: string, baskets: readonly Basket[], clients = 4, pauseMs = 10): Clients {
  let tally = emptyTally();
  let isEnding = false;
  let next = 0;
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isEnding) {
      const basket = baskets[(next += 1) % baskets.length];
      if (basket !== undefined) await ask(url, agent, basket, tally);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  const count = () => {
    const counted = tally;
    tally = emptyTally();
    return { ...counted, versions: [...counted.versions] };
  };
  return {
    count,
    async stop() {
      isEnding = true;
      await all;
      return count();
    },
  };
}

interface Counting {
  answered: number;
  wrong: number;
  readonly failed: Record<string, number>;
  readonly versions: Set<string>;
}

function emptyTally(): Counting {
  return { answered: 0, wrong: 0, failed: {}, versions: new Set() };
}

async function ask(url: string, agent: Agent, basket: Basket, tally: Counting): Promise<void> {
  const { status, body } = await post(url, agent, basket.body).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    return { status: code, body: '' };
  });
  if (status !== 200) {
    tally.failed[status] = (tally.failed[status] ?? 0) + 1;
    return;
  }
  const { model_version: version, sensitivity, confidence } = Answer.parse(JSON.parse(body));
  const golden = basket.answers[version];
  tally.answered += 1;
  tally.versions.add(version);
  if (golden?.sensitivity !== sensitivity || golden.confidence !== confidence) tally.wrong += 1;
}

function post(
  url: string,
  agent: Agent,
  body: string,
): Promise<{ readonly status: number | string; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer')));
    sent.on('error', reject).end(body);
  });
}
