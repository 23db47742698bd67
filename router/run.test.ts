import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock, settle } from '../test/support/fake-clock.ts';
import type { ClusterNews } from './cluster.ts';
import type { RouterTable } from './contract.ts';
import { bindsFor } from './haproxy/config.ts';
import { recall, remember } from './known-file.ts';
import { renderStart } from './run.ts';

const TABLE: RouterTable = {
  generation: 3,
  slots: [
    { slot: 0, variant: 'blue', service: 'retail--blue' },
    { slot: 1, variant: 'green', service: 'retail--green' },
  ],
  ranges: [
    { from: 0, to: 7_999, slot: 0 },
    { from: 8_000, to: 9_999, slot: 1 },
  ],
};
const pod = (uid: string, ready = true) => ({ uid, address: '10.0.0.1', port: 8080, ready });
const signal = new AbortController().signal;

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'render-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

function render(path: string, tell: (news: ClusterNews) => void, clock = new FakeClock()): Promise<void> {
  const settings = { name: 'retail', directory: path, ...bindsFor('10.0.0.9') };
  const follow = (news: ClusterNews, stop: AbortSignal) => {
    tell(news);
    return new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  };
  return renderStart({ settings, clock, log: pino({ level: 'silent' }), follow }, signal);
}

describe('renderStart', () => {
  it('writes the servers that are ready, and gives the share of an empty slot to the others', async () => {
    const path = await directory();

    await render(path, (news) => {
      news.setTable(TABLE);
      news.setEndpoints(
        new Map([
          ['retail--blue', [pod('b1')]],
          ['retail--green', [pod('g1', false)]],
        ]),
      );
    });

    const file = (name: string) => readFile(join(path, name), 'utf8');
    expect(await file('haproxy.cfg')).toContain('server b1 10.0.0.1:8080');
    expect(await file('buckets.map')).toBe('0:9999 0\n');
    expect(await file('variants.map')).toBe('0 blue\n1 green\n');
    expect(await file('table.map')).toMatch(/^generation 3\nchecksum [0-9a-f]{64}\n/);
    expect((await recall(path))?.table).toEqual(TABLE);
  });

  it('gives up after its deadline when the API server says nothing', async () => {
    const clock = new FakeClock();
    const rendering = render(await directory(), (news) => news.setTable(TABLE), clock);
    const failed = expect(rendering).rejects.toThrow('no answer within 120000 ms');

    await clock.advance(120_000);

    await failed;
  });

  it('starts with what the pod knew before when the API server says nothing', async () => {
    const [path, clock] = [await directory(), new FakeClock()];
    await remember(path, { table: TABLE, endpoints: new Map([['retail--green', [pod('g9')]]]) }, signal);
    const rendering = render(path, () => undefined, clock);

    await clock.advance(120_000);
    await settle();
    await rendering;

    expect(await readFile(join(path, 'buckets.map'), 'utf8')).toBe('0:9999 1\n');
  });
});

describe('recall', () => {
  it('makes nothing of a file that is missing or damaged', async () => {
    expect(await recall('/nowhere')).toBeUndefined();
  });
});
