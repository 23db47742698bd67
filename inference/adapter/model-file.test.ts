import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { ModelFile } from './model-file.ts';

const never = new AbortController().signal;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-model-file-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function artifact(bytes: Uint8Array, key = 'retail/model.tar.gz') {
  const path = join(dir, 'artifact');
  await writeFile(path, bytes);
  return { key, path };
}

describe('the file of the other container', () => {
  it('is readable by any user, whatever the artifact on our disk is, and leaves nothing beside it', async () => {
    const source = await artifact(await anArchive([['m', 'x']]));
    await chmod(source.path, 0o600);
    const file = new ModelFile(join(dir, 'model/model.tar.gz'), 1000);
    await file.prepare();

    await file.replace(source, never);

    expect((await stat(join(dir, 'model/model.tar.gz'))).mode & 0o777).toBe(0o644);
    expect(await readdir(join(dir, 'model'))).toEqual(['model.tar.gz']);
  });

  it('is the model out of an archive, or a bare model as it is', async () => {
    const file = new ModelFile(join(dir, 'model/model.bst'), 1000);
    await file.prepare();
    const read = async () => readFile(join(dir, 'model/model.bst'), 'utf8');

    await file.replace(await artifact(await anArchive([['model.bst', 'packed']])), never);
    const packed = await read();
    await file.replace(await artifact(Buffer.from('bare'), 'forest.bst'), never);

    expect([packed, await read()]).toEqual(['packed', 'bare']);
  });

  it('stays as it is when the artifact is none, and when nobody wants the new one any more', async () => {
    const file = new ModelFile(join(dir, 'model/model.tar.gz'), 1000);
    await file.prepare();
    const good = await anArchive([['m', 'good']]);
    await file.replace(await artifact(good), never);

    await expect(file.replace(await artifact(Buffer.from('x'), 'm.joblib'), never)).rejects.toThrow('reads an archive');
    const other = await artifact(await anArchive([['m', 'other']]));
    await expect(file.replace(other, AbortSignal.abort(new Error('no more')))).rejects.toThrow('no more');

    expect((await readFile(join(dir, 'model/model.tar.gz'))).equals(good)).toBe(true);
    expect(await readdir(join(dir, 'model'))).toEqual(['model.tar.gz']);
  });

  it('has no half-written ones beside it after a crash', async () => {
    const file = new ModelFile(join(dir, 'model/model.tar.gz'), 1000);
    await file.prepare();
    await writeFile(join(dir, 'model/.1234.part'), 'half');

    await file.prepare();

    expect(await readdir(join(dir, 'model'))).toEqual([]);
    expect(await file.exists()).toBe(false);
  });
});
