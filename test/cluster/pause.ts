// The image of every pod's first process, written as an archive by hand: it must not depend on a registry, and a node needs it before anything else.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { pack, type Pack } from 'tar-stream';
import { PAUSE_IMAGE } from './containerd.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** An archive as `docker save` writes it, with the static program as its only file. */
export async function pauseArchive(program: string): Promise<Buffer> {
  const layer = await tarOf([{ name: 'pause', mode: 0o755, content: await readFile(program) }]);
  const config = JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  const configName = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]);
  return tarOf([
    { name: 'layer.tar', mode: 0o644, content: layer },
    { name: configName, mode: 0o644, content: Buffer.from(config) },
    { name: 'manifest.json', mode: 0o644, content: Buffer.from(manifest) },
  ]);
}

interface File {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

async function tarOf(files: readonly File[]): Promise<Buffer> {
  const archive: Pack = pack();
  // A fixed time: the same program gives the same image.
  for (const { name, mode, content } of files) archive.entry({ name, mode, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(archive);
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
