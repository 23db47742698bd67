// Brings together what a tier needs before anything is started: packages, programs, images. Takes minutes the first time, seconds later.
import { ensureBinaries } from './binaries.ts';
import { ensurePackages } from './debian.ts';
import { buildImages, type Images } from './images.ts';
import { together } from './together.ts';
import type { OnProgress } from '../progress.ts';

export interface PrepareOptions {
  readonly kubeBin?: string | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** For tier `api`: the programs. Throws MissingPart when this machine cannot have them. */
export async function prepareApi(options: PrepareOptions): Promise<void> {
  await ensureBinaries({ ...options, tier: 'api' });
}

/** For tier `cluster`: packages, programs, dockerd and the images. Throws MissingPart when this machine cannot have them. */
export async function prepareCluster(options: PrepareOptions): Promise<Images> {
  const { onProgress, signal } = options;
  await ensurePackages('cluster', onProgress, signal);
  // Go compiles while Debian's packages are fetched and npm installs inside the images.
  const [, images] = await together(
    signal,
    async (combined) => ensureBinaries({ ...options, signal: combined, tier: 'cluster' }),
    async (combined) => buildImages(onProgress, combined),
  );
  return images;
}
