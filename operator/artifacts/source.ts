// Where a resource's artifacts come from, and what the poller can say about one of them.
import type { ResolvedArtifact } from '../domain/artifact.ts';
import type { StoreFailureReason } from '../domain/observed.ts';

/** A bucket as a resource names it, defaults filled in. Sources that are equal share one poller. */
export interface ArtifactSource {
  /** Name of an object store in the operator's configuration. */
  readonly store: string;
  /** Absent: neither the resource nor the operator's configuration names one. */
  readonly bucket?: string | undefined;
  readonly region?: string | undefined;
  /** Namespace of the resource: that of the Secret, and the one that the operator's own identity must be allowed for. */
  readonly namespace: string;
  /** Name of the Secret; absent: the operator's own identity, where the configuration allows it. */
  readonly credentialsSecret?: string | undefined;
}

/** One key that a resource wants to follow, or one pinned version of it. */
export interface WantedArtifact {
  readonly source: ArtifactSource;
  readonly key: string;
  /** Asked for once: a version never changes. */
  readonly versionId?: string | undefined;
  readonly intervalMs: number;
}

/** What is known of one wanted artifact. Assignable to the domain's ArtifactState. Times are epoch ms. */
export type Resolution =
  | { readonly kind: 'pending' }
  | {
      readonly kind: 'resolved';
      readonly artifact: ResolvedArtifact;
      /** When the request was sent whose answer first showed this version: a List, or a HEAD where no List is worth it. */
      readonly listedAt: number;
    }
  | {
      readonly kind: 'failed';
      readonly reason: StoreFailureReason;
      /** At most 256 characters; unchanged for as long as the same thing goes wrong, though a request id is in it. */
      readonly message: string;
      readonly since: number;
      /** The last version that was known: a missing key or an outage never forgets it. */
      readonly last?: ResolvedArtifact;
    };

/** Names a source: equal sources have equal text. */
export function sourceId(source: ArtifactSource): string {
  const { store, bucket, region, namespace, credentialsSecret } = source;
  return JSON.stringify([store, bucket ?? '', region ?? '', namespace, credentialsSecret ?? '']);
}
