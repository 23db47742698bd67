import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeFiles, type FakeFiles, type FileFault } from '../../test/support/fake-files.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { systemClock } from '../runtime/clock.ts';
import { isOutage, StoreError, type StoreFailure } from './failure.ts';
import { HttpReaders } from './http-reader.ts';

const { signal } = new AbortController();
const KEY = 'retail/model.tar.gz';

let files: FakeFiles;
let readers: HttpReaders;

beforeAll(async () => {
  files = await startFakeFiles();
  readers = new HttpReaders();
});
beforeEach(() => {
  files.faults.length = 0;
  files.requests.length = 0;
  Object.assign(files.ways, { etags: 'strong', dates: true, authorization: undefined });
});
afterAll(async () => {
  readers.close();
  await files.close();
});

const reader = (authorization?: string, url = files.url) =>
  readers.create({ store: { kind: 'http', url }, authorization }, 'models', systemClock);
const put = () => files.put(`models/${KEY}`, Buffer.from('model'), 1);

async function failure(call: Promise<unknown>): Promise<StoreFailure> {
  const error: unknown = await call.catch((thrown: unknown) => thrown);
  if (error instanceof StoreError) return error.failure;
  throw new Error(`got ${String(error)}`);
}

describe('HEAD', () => {
  it('tells version, size and date, and asks for nothing else', async () => {
    const { etag } = put();

    expect(await reader().head({ key: KEY }, signal)).toEqual({
      etag,
      size: 5,
      lastModified: new Date(1_800_000_001_000),
    });
    expect(files.requests).toEqual([`HEAD /files/models/${KEY}`]);
    expect(files.last).toMatchObject({ 'accept-encoding': 'identity' });
  });

  it.each([
    [{ etags: 'weak', dates: true }, { etag: expect.stringMatching(/^W\/"/) as string }],
    [{ etags: 'none', dates: true }, { etag: 'Fri, 15 Jan 2027 08:00:01 GMT, 5 bytes' }],
    [
      { etags: 'none', dates: false },
      { etag: undefined, lastModified: undefined, size: 5 },
    ],
  ])('tells what there is of a server with %j', async (ways, facts) => {
    put();
    Object.assign(files.ways, ways);

    expect(await reader().head({ key: KEY }, signal)).toMatchObject(facts);
  });

  it('is asked by whoever the Secret names', async () => {
    put();
    files.ways.authorization = 'Bearer right';

    expect(await failure(reader('Bearer wrong').head({ key: KEY }, signal))).toMatchObject({
      reason: 'InvalidCredentials',
      message: `HEAD models/${KEY}: the credentials are missing or not valid (HTTP 401)`,
    });
    expect(await reader('Bearer right').head({ key: KEY }, signal)).toMatchObject({ size: 5 });
  });
});

describe('the reason of a failed call', () => {
  const status = (code: number): FileFault => ({
    kind: 'status',
    status: code,
    headers: { location: 'http://canary.example/' },
  });

  it.each([
    [404, 'NoSuchKey', 'the key does not exist'],
    [410, 'NoSuchKey', 'the key does not exist'],
    [403, 'AccessDenied', 'access is not allowed'],
    [301, 'NoSuchKey', 'redirects, which is not followed'],
    [400, 'NoSuchKey', 'does not take this key'],
    [414, 'NoSuchKey', 'does not take this key'],
  ])('%i → %s, of this key alone', async (code, reason, text) => {
    put();
    files.faults.push(status(code));

    const failed = await failure(reader().head({ key: KEY }, signal));

    expect(failed.reason).toBe(reason);
    expect(failed.message).toContain(text);
    expect(failed.message).toContain(`(HTTP ${code})`);
    expect(JSON.stringify(failed)).not.toContain('canary');
    expect(isOutage(failed)).toBe(false);
    expect(files.requests).toHaveLength(1);
  });

  it.each([
    [500, 'StoreUnreachable', 'the store failed'],
    [502, 'StoreUnreachable', 'the store failed'],
    [405, 'StoreUnreachable', 'does not answer HEAD'],
    [429, 'Throttled', 'fewer requests'],
    [503, 'Throttled', 'fewer requests'],
    [204, 'StoreUnreachable', 'the store failed'],
  ])('%i → %s, of the whole store', async (code, reason, text) => {
    put();
    files.faults.push(status(code));

    const failed = await failure(reader().head({ key: KEY }, signal));

    expect(failed.reason).toBe(reason);
    expect(failed.message).toContain(text);
    expect(isOutage(failed)).toBe(true);
  });

  it('a server that is not there → StoreUnreachable, by code', async () => {
    expect(await failure(reader(undefined, 'http://127.0.0.1:1').head({ key: KEY }, signal))).toEqual({
      reason: 'StoreUnreachable',
      message: `HEAD models/${KEY}: no connection (ECONNREFUSED)`,
      cause: 'StoreUnreachable ECONNREFUSED',
    });
  });

  it('a server that is silent → StoreUnreachable, after a deadline', async () => {
    const clock = new FakeClock();
    files.faults.push({ kind: 'silent' });
    const store = { kind: 'http', url: files.url } as const;
    const late = failure(readers.create({ store }, 'models', clock).head({ key: KEY }, signal));

    await clock.advance(20_000);

    expect(await late).toMatchObject({
      reason: 'StoreUnreachable',
      message: expect.stringContaining('in time') as string,
    });
  });

  it.each([
    ['a pinned version', { key: KEY, versionId: 'v1' }, 'keeps no versions: pin by sha256'],
    ['a key that leads out', { key: 'a/../../secret' }, 'has no such names'],
  ])('%s → NoSuchKey, without a call', async (_what, request, text) => {
    const failed = await failure(reader().head(request, signal));

    expect(failed.reason).toBe('NoSuchKey');
    expect(failed.message).toContain(text);
    expect(files.requests).toEqual([]);
  });
});

it('tries again once where a connection was closed', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    if (connections === 1) return void socket.destroy();
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 7\r\netag: "a"\r\n\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const facts = await reader(undefined, `http://127.0.0.1:${port}`).head({ key: KEY }, signal);

  expect(facts).toMatchObject({ etag: '"a"', size: 7 });
  expect(connections).toBe(2);
  await new Promise((resolve) => server.close(resolve));
});

it('ends with its signal', async () => {
  const ending = new AbortController();
  files.faults.push({ kind: 'first', run: () => ending.abort(new Error('stopping')) });

  await expect(reader().head({ key: KEY }, ending.signal)).rejects.toThrow('stopping');
});
