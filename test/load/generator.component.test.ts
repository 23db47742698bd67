// The generator against a server on loopback that behaves as it is told to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoadPlan } from './contract.ts';
import { LoadGenerator } from './generator.ts';
import { Load } from './load.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Respond = (request: IncomingMessage, response: ServerResponse, number: number) => void;

async function listen(respond: Respond): Promise<string> {
  let number = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => respond(request, response, (number += 1)));
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/predict`;
}

function answer(response: ServerResponse, variant = 'blue', version = 'blue-1'): void {
  response.setHeader('x-model-variant', variant).setHeader('x-model-version', version);
  response.end(JSON.stringify({ sensitivity: 'Low', confidence: 0.5, model_version: version }));
}

function aPlan(url: string, change: Partial<LoadPlan> = {}): LoadPlan {
  return {
    url,
    connections: 4,
    perSecond: 100_000,
    keys: 10,
    keyHeader: 'x-user-id',
    timeoutMs: 5_000,
    maxSeconds: 20,
    maxRequests: 200,
    baskets: [{ body: '{}', answers: { 'blue-1': { sensitivity: 'Low', confidence: 0.5 } } }],
    expectation: { phase: 'only', versions: { blue: ['blue-1'] }, gained: [], settled: true },
    ...change,
  };
}

async function runToItsEnd(plan: LoadPlan) {
  const generator = new LoadGenerator(plan);
  await generator.finished();
  return generator.report();
}

describe('LoadGenerator', () => {
  it('sends each key in turn over connections that it keeps, and stops at its limit', async () => {
    const keys = new Set<string>();
    const url = await listen((request, response) => {
      keys.add(String(request.headers['x-user-id']));
      answer(response);
    });

    const report = await runToItsEnd(aPlan(url));

    expect(report).toMatchObject({
      requests: 200,
      ok: 200,
      failed: 0,
      connectionsOpened: 4,
      byVersion: { 'blue-1': 200 },
    });
    expect(report).toMatchObject({ keysSeen: 10, keys: { blue: 10 } });
    expect(keys.size).toBe(10);
  });

  it('counts a connection that breaks as a failed request, and does not ask again', async () => {
    let seen = 0;
    const url = await listen((request, response, number) => {
      seen += 1;
      if (number === 50) request.socket.destroy();
      else answer(response);
    });

    const report = await runToItsEnd(aPlan(url));

    expect(report).toMatchObject({ requests: 200, ok: 199, failures: { ECONNRESET: 1 }, connectionsOpened: 5 });
    expect(seen).toBe(200);
  });

  it('counts an answer that ends too early or never comes', async () => {
    const url = await listen((_request, response, number) => {
      if (number === 1) response.writeHead(200, { 'content-length': '999' }).write('{', () => response.destroy());
      else if (number !== 2) answer(response);
    });

    const report = await runToItsEnd(aPlan(url, { connections: 1, maxRequests: 5, timeoutMs: 50 }));

    expect(report.failures).toEqual({ ECONNRESET: 1, 'no answer within 50 ms': 1 });
  });

  it('counts wrong answers by reason and keeps samples', async () => {
    const url = await listen((_request, response, number) => answer(response, number % 100 === 0 ? 'green' : 'blue'));

    const report = await runToItsEnd(aPlan(url));

    expect(report.failures).toEqual({ 'green answered with version blue-1': 2 });
    expect(report.samples).toHaveLength(2);
  });
});

describe('Load', () => {
  it('runs the generator as a process of its own, which obeys and reports', async () => {
    const url = await listen((_request, response) => answer(response));
    const load = Load.start(spawn, aPlan(url, { perSecond: 200, maxRequests: 1_000_000 }));

    await load.expect({ phase: 'second', versions: { blue: ['blue-1'] }, gained: [], settled: true });
    const report = await load.stop();

    expect(report).toMatchObject({ phase: 'second', failed: 0 });
    await expect(load.report()).rejects.toThrow(/ended|mute/);
    await load.kill();
  });
});
