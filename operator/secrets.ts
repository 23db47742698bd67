// Secrets are read by name when they are needed, and never watched: that would mean to hold every Secret of the cluster.
import { z } from 'zod';
import type { ReadSecret } from './artifacts/opener.ts';
import type { KubeClient } from './kube/client.ts';
import { KubeError } from './kube/errors.ts';
import { pathOf, RESOURCES } from './kube/resources.ts';

const Secret = z.object({
  metadata: z.object({ uid: z.string(), resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).default({}),
});

/** Reads one Secret; undefined when there is none. Throws KubeError. */
export function secretReader(client: KubeClient): ReadSecret {
  return async (namespace, name, signal) => {
    try {
      const { metadata, data } = Secret.parse(
        await client.request('GET', pathOf(RESOURCES.Secret, { namespace, name }), { signal }),
      );
      return { ...metadata, data };
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  };
}
