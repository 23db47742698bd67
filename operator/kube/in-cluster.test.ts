import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { inClusterTransport } from './in-cluster.ts';

let directory: string;
let clock: FakeClock;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'service-account-'));
  clock = new FakeClock();
  await Promise.all(
    Object.entries({ token: 'one\n', 'ca.crt': 'CA' }).map(([name, text]) => writeFile(join(directory, name), text)),
  );
});

afterEach(() => rm(directory, { recursive: true }));

it('reads the token again after a minute, as the kubelet rotates it', async () => {
  const transport = inClusterTransport({ clock, host: '10.0.0.1', port: 443, directory });
  expect((await transport.credentials()).headers).toEqual({ Authorization: 'Bearer one' });
  await writeFile(join(directory, 'token'), 'two');
  await clock.advance(59_000);
  expect((await transport.credentials()).headers).toEqual({ Authorization: 'Bearer one' });
  await clock.advance(1000);
  expect((await transport.credentials()).headers).toEqual({ Authorization: 'Bearer two' });
});

it('reads it at once when the server refused it', async () => {
  const transport = inClusterTransport({ clock, host: '10.0.0.1', port: 443, directory });
  await transport.credentials();
  await writeFile(join(directory, 'token'), 'two');
  transport.renew();
  expect((await transport.credentials()).headers).toEqual({ Authorization: 'Bearer two' });
});

it('keeps its connections unless the certificates of the server change', async () => {
  const transport = inClusterTransport({ clock, host: '10.0.0.1', port: 443, directory });
  const { agent } = await transport.credentials();
  transport.renew();
  expect((await transport.credentials()).agent).toBe(agent);
  await writeFile(join(directory, 'ca.crt'), 'other CA');
  transport.renew();
  expect((await transport.credentials()).agent).not.toBe(agent);
});

it('understands IPv6, and fails where there is no ServiceAccount', async () => {
  expect(inClusterTransport({ clock, host: 'fd00::1', port: 6443, directory }).baseUrl.href).toBe(
    'https://[fd00::1]:6443/',
  );
  await expect(
    inClusterTransport({ clock, host: '10.0.0.1', port: 443, directory: '/nowhere' }).credentials(),
  ).rejects.toMatchObject({ code: 'ENOENT' });
});
