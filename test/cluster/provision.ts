// A node with the images of this checkout on it: what tests, demo and benchmarks begin with.
import { startCluster, type StartOptions } from './cluster.ts';
import type { Cluster } from './handle.ts';
import { buildImages, type Images } from './images.ts';
import { prepareCluster } from './prepare.ts';
import { asStep } from '../progress.ts';

export interface Provisioned {
  readonly cluster: Cluster;
  readonly images: Images;
}

/**
 * Everything from nothing to a node with images. They are looked at again once the node is ours: while we waited for it or compiled, another checkout
 * may have built its own under the same names, or stopped dockerd. Takes an instance down that cannot get them.
 */
export async function provision(options: Omit<StartOptions, 'tier'>): Promise<Provisioned> {
  const { onProgress, signal } = options;
  await prepareCluster(options);
  const cluster = await startCluster({ ...options, tier: 'cluster' });
  try {
    const images = await buildImages(onProgress, signal);
    const step = { step: 'Copying the images to the node', expectedSeconds: 10 };
    await asStep(onProgress, step, async () => cluster.importImages(Object.values(images), signal));
    return { cluster, images };
  } catch (error) {
    await cluster.down();
    throw error;
  }
}
