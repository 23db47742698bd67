// Compressed size of the model server's image, as a registry would store it: each layer by gzip.
import { createGzip } from 'node:zlib';
import { spawn } from 'node:child_process';
import { buildImages } from '../cluster/images.ts';
import { dockerEnv, stopDockerWhenIdle } from '../cluster/docker.ts';
import { baseEnv, isRoot } from '../cluster/config.ts';
import { asStep, type OnProgress } from '../progress.ts';
import type { BenchRow } from './suite.ts';

export async function imageMib(onProgress: OnProgress, signal?: AbortSignal): Promise<BenchRow[]> {
  if (!isRoot) return [];
  const { inference } = await buildImages(onProgress, signal);
  try {
    const bytes = await asStep(onProgress, { step: 'Size of the image', expectedSeconds: 15 }, async () =>
      compressedBytes(inference),
    );
    return [{ name: 'image_compressed_mib', value: Math.round((bytes / 2 ** 20) * 10) / 10, unit: 'MiB' }];
  } finally {
    await stopDockerWhenIdle(onProgress);
  }
}

/** `docker save` is one tar of uncompressed layers. */
async function compressedBytes(image: string): Promise<number> {
  const child = spawn('docker', ['save', image], {
    env: { ...baseEnv, ...dockerEnv },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let bytes = 0;
  for await (const chunk of child.stdout.pipe(createGzip()) as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}
