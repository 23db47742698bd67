// What a registry stores of an image: each of its layers by gzip.
import { spawn } from 'node:child_process';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import tar from 'tar-stream';
import * as z from 'zod';
import { baseEnv } from './config.ts';
import { dockerEnv } from './docker.ts';

const MANIFEST = 'manifest.json';
const Manifest = z.array(z.object({ RepoTags: z.array(z.string()), Layers: z.array(z.string()) }));

/** Compressed bytes of each of these images. A layer that several of them have is compressed once. `level` of gzip: registries use 6. */
export async function compressedBytes(images: readonly string[], level = 6): Promise<ReadonlyMap<string, number>> {
  const { stdout } = spawn('docker', ['save', ...images], {
    env: { ...baseEnv, ...dockerEnv },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const entries = stdout.pipe(tar.extract());
  const files = new Map<string, number>();
  const links = new Map<string, string>();
  let saved: z.infer<typeof Manifest> = [];
  for await (const entry of entries) {
    const { name, linkname } = entry.header;
    if (name === MANIFEST) saved = Manifest.parse(await json(entry));
    else files.set(name, await gzipped(entry, level));
    // the same layer at another place of another image
    if (linkname) links.set(name, posix.join(posix.dirname(name), linkname));
  }
  return new Map(images.map((image) => [image, layersOf(image, saved).reduce((sum, layer) => sum + sizeOf(layer), 0)]));

  function sizeOf(layer: string): number {
    const size = files.get(links.get(layer) ?? layer);
    if (size === undefined) throw new Error(`docker save has left out the layer ${layer}`);
    return size;
  }
}

function layersOf(image: string, saved: z.infer<typeof Manifest>): readonly string[] {
  const found = saved.find(({ RepoTags }) => RepoTags.includes(image));
  if (found === undefined) throw new Error(`docker save has not saved ${image}`);
  return found.Layers;
}

async function gzipped(content: AsyncIterable<unknown>, level: number): Promise<number> {
  let bytes = 0;
  for await (const chunk of Readable.from(content).pipe(createGzip({ level })) as AsyncIterable<Buffer>)
    bytes += chunk.length;
  return bytes;
}
