import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { replaceFile } from '../../test/support/replace-file.ts';
import type { ShadowPeer } from '../contract.ts';
import { followPeers } from './peers.ts';

const PEER = { name: 'candidate', url: 'http://retail--candidate', percent: 20 };

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-peers-'));
});
afterAll(() => rm(dir, { recursive: true }));

it('follows its file: none, one, unusable, another, gone', async () => {
  const path = join(dir, 'peers.json');
  const told: (readonly ShadowPeer[])[] = [];
  const logs: string[] = [];
  const log = pino({ base: null }, { write: (line) => void logs.push(line) });
  const ending = new AbortController();
  const write = (content: unknown) => replaceFile(path, JSON.stringify(content));
  const seen = async (count: number) => vi.waitFor(() => expect(told).toHaveLength(count));

  const followed = followPeers({ path, everyMs: 5, log }, (peers) => told.push(peers), ending.signal);
  await seen(1);
  await write({ peers: [PEER] });
  await seen(2);
  await write({ peers: [{ ...PEER, url: 'http://a:b@c' }] });
  await vi.waitFor(() => expect(logs).toHaveLength(1));
  await write({ peers: [{ ...PEER, percent: 30 }] });
  await seen(3);
  await rm(path);
  await seen(4);
  ending.abort();
  await followed;

  expect(told).toEqual([[], [PEER], [{ ...PEER, percent: 30 }], []]);
  expect(logs[0]).toContain('the shadow peers are not usable');
});
