// Secrets are read by name when they are needed, and never watched: that would mean to hold every Secret of the cluster.
import * as z from 'zod';
import type { ReadSecret } from './artifacts/opener.ts';
import type { KubeClient } from './kube/client.ts';
import { KubeError } from './kube/errors.ts';
import { pathOf, RESOURCES } from './kube/resources.ts';

const Secret = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    ownerReferences: z.array(z.object({ uid: z.string(), controller: z.boolean().default(false) })).default([]),
  }),
  data: z.record(z.string(), z.string()).default({}),
});

/** A Secret with the uid of the object that controls it, if any does. */
type OwnedSecret = NonNullable<Awaited<ReturnType<ReadSecret>>> & { readonly owner: string | undefined };

/** Reads one Secret; undefined when there is none. Throws KubeError. */
export function secretReader(client: KubeClient): (...to: Parameters<ReadSecret>) => Promise<OwnedSecret | undefined> {
  return async (namespace, name, signal) => {
    try {
      const { metadata, data } = Secret.parse(
        await client.request('GET', pathOf(RESOURCES.Secret, { namespace, name }), { signal }),
      );
      const { uid, resourceVersion, ownerReferences } = metadata;
      return { uid, resourceVersion, data, owner: ownerReferences.find(({ controller }) => controller)?.uid };
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  };
}
