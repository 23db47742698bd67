import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { expect, it } from 'vitest';
import { pauseArchive } from './pause.ts';

async function unpack(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    files.set(entry.header.name, await buffer(entry));
  }
  return files;
}

it('writes an archive whose configuration names the layer by its digest', async () => {
  const files = await unpack(await pauseArchive(import.meta.filename));

  const [manifest] = JSON.parse(files.get('manifest.json')!.toString()) as {
    Config: string;
    Layers: string[];
    RepoTags: string[];
  }[];
  const layer = files.get(manifest!.Layers[0]!)!;
  const config = JSON.parse(files.get(manifest!.Config)!.toString()) as { rootfs: { diff_ids: string[] } };
  expect(manifest!.RepoTags).toEqual(['localhost/pause:1']);
  expect(config.rootfs.diff_ids).toEqual([`sha256:${createHash('sha256').update(layer).digest('hex')}`]);
  expect([...(await unpack(layer)).keys()]).toEqual(['pause']);
});
