// The command line against a scripted HAProxy: exact commands, and every refusal noticed.
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerStep } from '../server-plan.ts';
import { commitMap, isSameMap, payloads, readMap } from './maps.ts';
import { applyStep, parseServers } from './servers.ts';
import { CommandError, MAX_COMMAND_BYTES, openCommandLine, SocketError } from './socket.ts';
import type { CommandLine } from './socket.ts';

const signal = new AbortController().signal;
const DIRECTORY = '/run/haproxy';

/** Answers what `answers` says for the command that starts so; anything else with silence. */
function scripted(answers: Readonly<Record<string, string>>): CommandLine & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask(command) {
      asked.push(command);
      const key = Object.keys(answers).find((start) => command.startsWith(start));
      return Promise.resolve(`${key === undefined ? '' : (answers[key] ?? '')}\n`);
    },
  };
}

async function listening(onCommand: (command: string) => string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cli-'));
  const path = join(directory, 'admin.sock');
  const server: Server = createServer((socket) => {
    socket.on('data', (chunk) => socket.end(onCommand(chunk.toString())));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });
  return path;
}

describe('openCommandLine', () => {
  it('sends one command and resolves with the whole answer', async () => {
    const path = await listening((command) => `<${command.trim()}>\n\n`);

    expect(await openCommandLine(path).ask('show info', signal)).toBe('<show info>\n');
  });

  it('says that nobody answers', async () => {
    await expect(openCommandLine('/nowhere/admin.sock').ask('show info', signal)).rejects.toThrow(SocketError);
  });

  it('refuses a command that HAProxy could not hold', async () => {
    const long = 'x'.repeat(MAX_COMMAND_BYTES + 1);

    await expect(openCommandLine('/nowhere').ask(long, signal)).rejects.toThrow(RangeError);
  });
});

describe('maps', () => {
  it('replaces a map in one transaction', async () => {
    const haproxy = scripted({ 'prepare map': 'New version created: 4' });

    await commitMap(
      haproxy,
      DIRECTORY,
      'buckets',
      [
        ['0:8999', '0'],
        ['9000:9999', '1'],
      ],
      signal,
    );

    expect(haproxy.asked).toEqual([
      'prepare map /run/haproxy/buckets.map',
      'add map @4 /run/haproxy/buckets.map <<\n0:8999 0\n9000:9999 1\n',
      'commit map @4 /run/haproxy/buckets.map',
    ]);
  });

  it('does not commit what HAProxy did not take', async () => {
    const haproxy = scripted({ 'prepare map': 'New version created: 4', 'add map': "'0:x' is not a number" });

    await expect(commitMap(haproxy, DIRECTORY, 'buckets', [['0:x', '0']], signal)).rejects.toThrow(CommandError);
    expect(haproxy.asked.some((command) => command.startsWith('commit'))).toBe(false);
  });

  it('cuts 10,000 lines into commands that fit', () => {
    const entries = Array.from({ length: 10_000 }, (_, n): [string, string] => [`${n}:${n}`, String(n % 24)]);

    const pieces = payloads(entries);

    expect(pieces.every((piece) => Buffer.byteLength(piece) < MAX_COMMAND_BYTES)).toBe(true);
    expect(pieces.join('').split('\n')).toHaveLength(10_001);
  });

  it('reads keys and values, and tells an empty map from an unknown one', async () => {
    const read = (answer: string) => readMap(scripted({ 'show map': answer }), DIRECTORY, 'table', signal);

    expect(await read('0x5569 0:8999 0\n0x556a service:1 retail--green\n')).toEqual([
      ['0:8999', '0'],
      ['service:1', 'retail--green'],
    ]);
    expect(await read('')).toEqual([]);
    await expect(read('Unknown map identifier. Please use #<id> or <file>.')).rejects.toThrow(CommandError);
  });

  it('compares maps without regard to order', () => {
    expect(
      isSameMap(
        [
          ['a', '1'],
          ['b', '2'],
        ],
        [
          ['b', '2'],
          ['a', '1'],
        ],
      ),
    ).toBe(true);
    expect(isSameMap([['a', '1']], [['a', '2']])).toBe(false);
  });
});

describe('servers', () => {
  const server = { slot: 3, name: 'uid', address: 'fd00::1', port: 8080 };
  const step = (kind: 'add' | 'resume' | 'drain'): ServerStep => ({ kind, server });

  it('adds a server with checks and then enables both', async () => {
    const haproxy = scripted({ 'add server': 'New server registered.' });

    expect(await applyStep(haproxy, step('add'), signal)).toBe(true);

    expect(haproxy.asked).toEqual([
      'add server slot3/uid [fd00::1]:8080 check inter 2s fall 2 rise 1',
      'enable health slot3/uid',
      'enable server slot3/uid',
    ]);
  });

  it('goes on where an interrupted add stopped', async () => {
    const haproxy = scripted({ 'add server': 'Already exists a server with the same name in backend.' });

    expect(await applyStep(haproxy, step('add'), signal)).toBe(true);
  });

  it('says which command was refused', async () => {
    const haproxy = scripted({ 'set server': 'No such server.' });

    await expect(applyStep(haproxy, step('drain'), signal)).rejects.toThrow(
      'No such server. (set server slot3/uid state drain)',
    );
  });

  it('tries a removal again while connections are left', async () => {
    const busy = scripted({ 'del server': 'Server still has connections attached to it, cannot remove it.' });

    expect(await applyStep(busy, { kind: 'remove', server, forced: false }, signal)).toBe(false);
    expect(busy.asked).not.toContain('shutdown sessions server slot3/uid');
  });

  it('ends the requests of a server whose time is up', async () => {
    const haproxy = scripted({ 'del server': 'Server deleted.' });

    expect(await applyStep(haproxy, { kind: 'remove', server, forced: true }, signal)).toBe(true);
    expect(haproxy.asked).toEqual([
      'set server slot3/uid state maint',
      'shutdown sessions server slot3/uid',
      'del server slot3/uid',
    ]);
  });

  it('reads state and connections by the names of the columns', () => {
    const columns = '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_port';
    const state = [
      '1',
      columns,
      '4 slot0 1 a 10.0.0.1 2 0 8080',
      '4 slot0 2 b ::1 0 8 8081',
      '5 slot1 1 c 10.0.0.3 0 1 80',
      '9 other 1 d 10.0.0.4 2 0 80',
      '',
    ];
    const connections = '# bkname/svname bkid/svid used_cur\nslot0/a 4/1 3\n';

    expect(parseServers(state.join('\n'), connections)).toEqual([
      { slot: 0, name: 'a', address: '10.0.0.1', port: 8080, up: true, mode: 'ready', inUse: 3 },
      { slot: 0, name: 'b', address: '::1', port: 8081, up: false, mode: 'drain', inUse: 0 },
      { slot: 1, name: 'c', address: '10.0.0.3', port: 80, up: false, mode: 'maintenance', inUse: 0 },
    ]);
  });
});
