// Brings together what a tier needs before anything is started: packages, programs, images. Takes minutes the first time, seconds later.
import { ensureBinaries } from './binaries.ts';
import type { Tier } from './config.ts';
import { ensurePackages } from './debian.ts';
import { buildImages, type Images } from './images.ts';
import { together } from './together.ts';
import type { OnProgress } from '../progress.ts';

export interface PrepareOptions {
  readonly kubeBin?: string | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** The programs of a tier. Throws MissingPart when this machine cannot have them. */
export async function preparePrograms(tier: Tier, options: PrepareOptions): Promise<void> {
  await ensureBinaries({ ...options, tier });
}

/** What the pods of tier `cluster` run: packages, dockerd and the images. Throws MissingPart when this machine cannot have them. */
export async function prepareImages({ onProgress, signal }: PrepareOptions): Promise<Images> {
  await ensurePackages('cluster', onProgress, signal);
  return buildImages(onProgress, signal);
}

/** All that tier `cluster` needs: Go compiles while Debian's packages are fetched and npm installs inside the images. Throws MissingPart. */
export async function prepareCluster(options: PrepareOptions): Promise<Images> {
  const [, images] = await together(
    options.signal,
    async (signal) => preparePrograms('cluster', { ...options, signal }),
    async (signal) => prepareImages({ ...options, signal }),
  );
  return images;
}
