// The client of the API server over real HTTP, against the fake one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient, RequestRecord } from '../../operator/kube/client.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock, until } from '../support/fake-clock.ts';

const CONFIG_MAPS = '/api/v1/namespaces/ml/configmaps';
const { signal } = new AbortController();
const all = () => true;

let server: FakeApiServer;
let clock: FakeClock;
let client: KubeClient;
let records: RequestRecord[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  records = [];
  client = server.client(clock, (record) => records.push(record));
});

afterEach(() => server.stop());

describe('a request', () => {
  it('sends and gives raw JSON', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { ü: '✓' } };
    await client.request('POST', CONFIG_MAPS, { body, signal });
    expect(await client.request('GET', `${CONFIG_MAPS}/a`, { signal })).toMatchObject({
      data: { ü: '✓' },
      metadata: { name: 'a', namespace: 'ml' },
    });
    expect(records).toMatchObject([
      { method: 'POST', status: 200 },
      { method: 'GET', path: `${CONFIG_MAPS}/a`, status: 200 },
    ]);
  });

  it('fails with what the server says', async () => {
    const failed = client.request('GET', `${CONFIG_MAPS}/none`, { signal });
    await expect(failed).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
      isNotFound: true,
      isTransient: false,
    });
  });

  it('is sent again with fresh credentials after a 401, once', async () => {
    server.faults.push({ when: all, then: { status: 401 } });
    await client.request('GET', CONFIG_MAPS, { signal });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-0', 'Bearer token-1']);

    server.faults.push({ when: all, then: { status: 401 }, times: 2 });
    await expect(client.request('GET', CONFIG_MAPS, { signal })).rejects.toMatchObject({ isUnauthorized: true });
  });

  it('is sent again after the pause that a 429 asks for, and others wait too', async () => {
    server.faults.push({ when: all, then: { status: 429, retryAfter: 7 } });
    const first = client.request('GET', CONFIG_MAPS, { signal });
    await until(() => clock.pending.includes(7000), 'the pause');
    const second = client.request('GET', CONFIG_MAPS, { signal });
    expect(server.requests).toHaveLength(1);
    await clock.advance(7100);
    await Promise.all([first, second]);
    expect(server.requests).toHaveLength(3);
  });

  it('of the lease does not wait for the pause of the others', async () => {
    server.faults.push({ when: all, then: { status: 429, retryAfter: 7 } });
    const slow = client.request('GET', CONFIG_MAPS, { signal });
    await until(() => clock.pending.includes(7000), 'the pause');
    await client.request('GET', CONFIG_MAPS, { signal, urgent: true });
    expect(server.requests).toHaveLength(2);
    server.faults.push({ when: all, then: { status: 429, retryAfter: 7 } });
    await expect(client.request('GET', CONFIG_MAPS, { signal, urgent: true })).rejects.toMatchObject({
      isThrottled: true,
      retryAfterMs: 7000,
    });
    await clock.advance(15_000);
    await slow;
  });

  it('has a deadline', async () => {
    server.faults.push({ when: all, then: 'silent' });
    const slow = client.request('GET', CONFIG_MAPS, { signal, deadlineMs: 3000 });
    const failed = expect(slow).rejects.toMatchObject({ status: 0, reason: 'Timeout', isTransient: true });
    await until(() => server.requests.length === 1);
    await clock.advance(3000);
    await failed;
  });

  it('ends with the reason of its signal', async () => {
    server.faults.push({ when: all, then: 'silent' });
    const stop = new AbortController();
    const slow = client.request('GET', CONFIG_MAPS, { signal: stop.signal });
    await until(() => server.requests.length === 1);
    stop.abort(new Error('shutting down'));
    await expect(slow).rejects.toThrow('shutting down');
    expect(clock.pending).toEqual([]);
  });

  it('that meets a broken connection is transient', async () => {
    server.faults.push({ when: all, then: 'reset' });
    await expect(client.request('GET', CONFIG_MAPS, { signal })).rejects.toMatchObject({
      status: 0,
      reason: 'Unreachable',
      isTransient: true,
    });
  });

  it('takes a new connection when the kept one is dead, but never sends a POST twice', async () => {
    await client.request('GET', CONFIG_MAPS, { signal });
    server.faults.push({ when: all, then: 'reset' });
    await client.request('GET', CONFIG_MAPS, { signal });
    server.faults.push({ when: all, then: 'lostAnswer' });
    const body = { metadata: { name: 'a' } };
    await expect(client.request('POST', CONFIG_MAPS, { body, signal })).rejects.toMatchObject({ status: 0 });
    expect(server.count('POST')).toBe(1);
  });
});

describe('a stream', () => {
  it('gives the lines as they come and ends with the server', async () => {
    const lines: unknown[] = [];
    let opened = false;
    const read = (async () => {
      for await (const line of client.stream(
        CONFIG_MAPS,
        { watch: true, resourceVersion: '1000' },
        signal,
        () => (opened = true),
      ))
        lines.push(line);
    })();
    await until(() => opened);
    server.store.create(CONFIG_MAPS, { metadata: { name: 'a' }, data: { text: 'é'.repeat(100_000) } });
    await until(() => lines.length === 1);
    server.cutStreams('end');
    await read;
    expect(lines).toMatchObject([{ type: 'ADDED', object: { data: { text: 'é'.repeat(100_000) } } }]);
  });

  it('that breaks in the middle of a line fails, and the half line is not given', async () => {
    const lines: unknown[] = [];
    const read = (async () => {
      for await (const line of client.stream(CONFIG_MAPS, { watch: true }, signal)) lines.push(line);
    })();
    const failed = expect(read).rejects.toMatchObject({ status: 0 });
    await until(() => server.streams === 1);
    server.cutStreams('break');
    await failed;
    expect(lines).toEqual([]);
  });

  it('is closed when its reader leaves', async () => {
    server.store.create(CONFIG_MAPS, { metadata: { name: 'a' } });
    for await (const line of client.stream(CONFIG_MAPS, { watch: true, resourceVersion: '1000' }, signal)) {
      expect(line).toMatchObject({ type: 'ADDED' });
      break;
    }
    await until(() => server.streams === 0);
  });
});
