import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeFiles } from '../../test/support/fake-files.ts';
import type { FakeFiles, FileFault } from '../../test/support/fake-files.ts';
import { loadFailure } from '../../test/support/load-failure.ts';
import { Artifacts } from './artifacts.ts';
import { httpStore } from './http.ts';
import type { Wanted } from './store.ts';

const { signal } = new AbortController();
const KEY = 'retail/a b.tar.gz';
const PATH = `models/${KEY}`;
const LIMITS = { maxBytes: 100_000, stallMs: 300 };
const bytes = (letter: string, size = 5000) => Buffer.alloc(size, letter);

let files: FakeFiles;
let dir: string;
let path: string;

beforeAll(async () => {
  files = await startFakeFiles();
  dir = await mkdtemp(join(tmpdir(), 'switchyard-http-'));
  path = join(dir, 'artifact');
});
beforeEach(() => {
  files.faults.length = 0;
  files.requests.length = 0;
  Object.assign(files.ways, { etags: 'strong', dates: true, ifMatch: true, authorization: undefined });
});
afterAll(async () => {
  await files.close();
  await rm(dir, { recursive: true });
});

const store = (more: { authorization?: string; url?: string } = {}) =>
  httpStore({ settings: { kind: 'http', url: more.url ?? files.url }, bucket: 'models', answerMs: 300, ...more });
const fetched = (wanted: Partial<Wanted> = {}, limits = LIMITS) =>
  store().fetch({ key: KEY, ...wanted }, path, limits, signal);

describe('an object', () => {
  it('is downloaded as it is, hashed on the way', async () => {
    const { etag, sha256, size } = files.put(PATH, bytes('a'));

    const found = await fetched({ etag, size });

    expect(found).toEqual({ key: KEY, etag, sha256, size });
    expect(await readFile(path)).toEqual(bytes('a'));
    expect(files.requests).toEqual(['GET /files/models/retail/a%20b.tar.gz']);
    expect(files.last).toMatchObject({ 'accept-encoding': 'identity', 'if-match': etag });
    expect(files.last).not.toHaveProperty('authorization');
  });

  it('is looked at by HEAD', async () => {
    const { etag, size } = files.put(PATH, bytes('a'));

    expect(await store().look(KEY, signal)).toEqual({ key: KEY, etag, size });
    expect(files.requests).toEqual(['HEAD /files/models/retail/a%20b.tar.gz']);
  });

  it('is asked for by whoever the configuration names', async () => {
    files.ways.authorization = 'Bearer t';
    files.put(PATH, bytes('a'));

    const denied = await loadFailure(fetched());
    const found = await store({ authorization: 'Bearer t' }).fetch({ key: KEY }, path, LIMITS, signal);

    expect(denied).toMatchObject({
      reason: 'AccessDenied',
      message: expect.stringMatching(/access denied \(HTTP 401\)$/) as string,
    });
    expect(found.size).toBe(5000);
  });
});

/** Servers differ in what they tell of a version. */
const WAYS = [
  { etags: 'strong', dates: true, ifMatch: true },
  { etags: 'strong', dates: true, ifMatch: false },
  { etags: 'weak', dates: true, ifMatch: true },
  { etags: 'none', dates: true, ifMatch: true },
] as const;

describe.each(WAYS)('a version ($etags ETags, If-Match $ifMatch)', (ways) => {
  beforeEach(() => void Object.assign(files.ways, ways));

  it('that is still there is downloaded', async () => {
    const { sha256 } = files.put(PATH, bytes('a'));
    const seen = await store().look(KEY, signal);

    expect(await fetched(seen)).toMatchObject({ sha256, etag: seen.etag });
  });

  it('that has been overwritten is refused, and nobody gets other bytes', async () => {
    files.put(PATH, bytes('a'));
    const seen = await store().look(KEY, signal);
    files.put(PATH, bytes('b'));

    expect((await loadFailure(fetched(seen))).reason).toBe('ObjectChanged');
  });

  it('that is replaced by one of another size within the same second is refused', async () => {
    files.put(PATH, bytes('a'), 7);
    const seen = await store().look(KEY, signal);
    files.put(PATH, bytes('b', 5001), 7);

    expect((await loadFailure(fetched(seen))).reason).toBe('ObjectChanged');
  });

  it('is known when a HEAD leaves the length out, or a GET does', async () => {
    const { sha256 } = files.put(PATH, bytes('a'));
    files.faults.push({ kind: 'headers', headers: { 'content-length': undefined } });
    const [without, full] = [await store().look(KEY, signal), await store().look(KEY, signal)];
    files.faults.push(
      { kind: 'headers', headers: {} },
      { kind: 'headers', headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    );

    expect(await fetched(without)).toMatchObject({ sha256 });
    expect(await fetched(full)).toMatchObject({ sha256, size: 5000 });
  });
});

it('a version of another ETag is not begun, also where no length is told', async () => {
  files.put(PATH, bytes('a'));
  files.ways.ifMatch = false;
  files.faults.push({ kind: 'headers', headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } });
  const fresh = join(dir, 'not-begun');

  const refused = await loadFailure(store().fetch({ key: KEY, etag: '"other"' }, fresh, LIMITS, signal));

  expect(refused.reason).toBe('ObjectChanged');
  expect(existsSync(fresh)).toBe(false);
});

it('a version is not taken from a server that does not name it any more', async () => {
  const { etag } = files.put(PATH, bytes('a'));
  files.ways.ifMatch = false;
  files.faults.push({ kind: 'headers', headers: { etag: undefined, 'last-modified': undefined } });

  expect((await loadFailure(fetched({ etag }))).reason).toBe('ObjectChanged');
});

describe('what is refused', () => {
  const status = (code: number, headers = {}): FileFault => ({ kind: 'status', status: code, headers });
  const elsewhere = { location: 'http://127.0.0.1:1/files/models/secret' };
  it.each<[string, FileFault, string, RegExp]>([
    ['a missing object', status(404), 'NoSuchKey', /there is no such object \(HTTP 404\)$/],
    ['a login that may not', status(403), 'AccessDenied', /access denied \(HTTP 403\)$/],
    ['a server that fails', status(500), 'StoreUnreachable', /\(HTTP 500\)$/],
    ['a server that is busy', status(503), 'StoreUnreachable', /\(HTTP 503\)$/],
    ['a part', status(206), 'StoreUnreachable', /\(HTTP 206\)$/],
    ['a redirect', status(302, elsewhere), 'NoSuchKey', /redirects, which is not followed.*\(HTTP 302\)$/],
    ['a redirect on the same server', status(301, { location: '/files/other' }), 'NoSuchKey', /redirects/],
    [
      'an answer that was compressed on the way',
      { kind: 'headers', headers: { 'content-encoding': 'gzip' } },
      'StoreUnreachable',
      /Content-Encoding gzip: turn that off/,
    ],
    ['a body that breaks off', { kind: 'cut', after: 1000 }, 'StoreUnreachable', /broke off \(ECONNRESET\)/],
    ['a body that stops', { kind: 'stall', after: 1000 }, 'StoreUnreachable', /sent nothing for 300 ms/],
    ['no answer', { kind: 'silent' }, 'StoreUnreachable', /no answer \(ABORT_ERR\)$/],
    [
      'fewer bytes than were announced',
      { kind: 'headers', headers: { 'content-length': '6000', connection: 'close' } },
      'StoreUnreachable',
      /broke off/,
    ],
  ])('%s', async (_, fault, reason, message) => {
    files.put(PATH, bytes('a'));
    files.faults.push(fault);

    const refused = await loadFailure(fetched());

    expect(refused).toMatchObject({ reason, message: expect.stringMatching(message) as string });
    expect(refused.message).not.toContain('canary');
    expect(files.requests).toHaveLength(1);
  });

  it('an object of another size than was asked for', async () => {
    files.put(PATH, bytes('a'));

    expect(await loadFailure(fetched({ size: 4000 }))).toMatchObject({ reason: 'ObjectChanged' });
  });

  it.each([
    ['and says so', {}],
    ['and does not say so', { 'content-length': undefined, 'transfer-encoding': 'chunked' }],
  ])('an object that is too large %s', async (_, headers) => {
    files.put(PATH, bytes('a', 100_001));
    files.faults.push({ kind: 'headers', headers });

    expect((await loadFailure(fetched())).reason).toBe('ArtifactTooLarge');
  });

  it('an object that says it is too large is not begun', async () => {
    files.put(PATH, bytes('a', 100_001));
    const fresh = join(dir, 'fresh');

    expect((await loadFailure(store().fetch({ key: KEY }, fresh, LIMITS, signal))).reason).toBe('ArtifactTooLarge');
    expect(existsSync(fresh)).toBe(false);
  });

  it('a server that is not there', async () => {
    const away = store({ url: 'http://127.0.0.1:1' });

    expect(await loadFailure(away.look(KEY, signal))).toMatchObject({
      reason: 'StoreUnreachable',
      message: expect.stringContaining('no answer (ECONNREFUSED)') as string,
    });
  });

  it.each([
    ['a key that leads out', { key: '../secret' }],
    ['a version id', { versionId: 'v1' }],
  ])('%s, without a request', async (_, wanted) => {
    expect((await loadFailure(fetched(wanted))).reason).toBe('NoSuchKey');
    expect(files.requests).toEqual([]);
  });
});

it('ends with its signal', async () => {
  files.put(PATH, bytes('a'));
  const ending = new AbortController();
  files.faults.push({ kind: 'first', run: () => ending.abort(new Error('superseded')) }, { kind: 'stall', after: 10 });

  await expect(store().fetch({ key: KEY }, path, LIMITS, ending.signal)).rejects.toThrow('superseded');
});

it('is tried three times where that may help, and once where it may not', async () => {
  const artifacts = new Artifacts({
    store: store(),
    dir: join(dir, 'kept'),
    limits: LIMITS,
    log: pino({ level: 'silent' }),
    retryMs: [1, 1],
  });
  await artifacts.prepare();
  const { etag, sha256 } = files.put(PATH, bytes('a'));
  files.faults.push({ kind: 'cut', after: 1000 }, { kind: 'status', status: 500 });

  const found = await artifacts.obtain({ key: KEY, etag }, signal);
  files.requests.length = 0;
  const changed = await loadFailure(artifacts.obtain({ key: KEY, etag: '"other"' }, signal));

  expect(found.sha256).toBe(sha256);
  expect(changed.reason).toBe('ObjectChanged');
  expect(files.requests).toHaveLength(1);
});
