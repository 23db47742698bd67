// Compressed sizes of the model server's images.
import { buildImages, buildOnnxImage } from '../cluster/images.ts';
import { compressedBytes } from '../cluster/image-size.ts';
import { stopDockerWhenIdle } from '../cluster/docker.ts';
import { isRoot } from '../cluster/config.ts';
import { asStep, type OnProgress } from '../progress.ts';
import type { BenchRow } from './suite.ts';

export async function imageMib(onProgress: OnProgress, signal?: AbortSignal): Promise<BenchRow[]> {
  if (!isRoot) return [];
  const { inference } = await buildImages(onProgress, signal);
  const onnx = await buildOnnxImage(onProgress, signal);
  try {
    const sizes = await asStep(onProgress, { step: 'Size of the images', expectedSeconds: 20 }, async () =>
      compressedBytes([inference, onnx]),
    );
    return [row('image_compressed_mib', sizes.get(inference)), row('image_compressed_mib_onnx', sizes.get(onnx))];
  } finally {
    await stopDockerWhenIdle(onProgress);
  }
}

function row(name: string, bytes = NaN): BenchRow {
  return { name, value: Math.round((bytes / 2 ** 20) * 10) / 10, unit: 'MiB' };
}
