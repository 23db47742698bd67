// What the set-up of a tier hands to its tests, and how a test gets at it.
import { inject } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { openRunningCluster } from '../cluster/handle.ts';
import type { Images } from '../cluster/images.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Run directory of the instance. */
    runDir: string;
    /** Names of the images that the node has; tier `cluster` only. */
    images: Images;
  }
}

/** The instance that all tests of this tier share: take a namespace of your own (see {@link uniqueName}). */
export async function openTier(): Promise<Cluster> {
  return openRunningCluster(inject('runDir'));
}

/** The images that were built from this checkout and are on the node. */
export function tierImages(): Images {
  return inject('images');
}

/** A DNS label that no other test has, such as `reload-k3f9a2`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
}
