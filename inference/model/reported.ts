// What is said of a version in use, whether it is evaluated in this process or in the one beside it.
import type { ActiveModel, ModelInfo } from '../contract.ts';
import type { Manifest } from './manifest.ts';

export interface Reported {
  readonly manifest: Manifest;
  /** What is reported of it: revision, version, key, versionId, etag, sha256, size. */
  readonly active: ActiveModel;
  readonly version: string;
  /** The version as an HTTP header can carry it. */
  readonly versionHeader: string;
  /** ISO 8601, UTC. */
  readonly loadedAt: string;
}

/** The version that an answer names: of the model that gave it, otherwise of the one in use. */
export function versionHeaderOf(
  served: Pick<Reported, 'versionHeader'> | undefined,
  { current }: { readonly current: Pick<Reported, 'versionHeader'> | undefined },
): string {
  return (served ?? current)?.versionHeader ?? 'none';
}

/** What health, metrics, headers and /model/info read of a slot. */
export interface SlotView {
  readonly current: Reported | undefined;
  /** Highest sequence seen. */
  readonly sequence: number;
  /** Why the last load failed; undefined after a successful one. */
  readonly failure: ModelInfo['failure'];
  /** The load under way; absent: none. */
  readonly loading?: ModelInfo['loading'];
}
