// Where artifacts come from, whatever kind of store it is: an object store, or a file or directory of this machine.
import type { Limits, Saved } from './download.ts';

/** One version of an artifact, as exactly as the caller knows it. */
export interface Wanted {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly sha256?: string | undefined;
  readonly size?: number | undefined;
}

/** One version, as the store named it. */
export interface Version {
  readonly key: string;
  readonly versionId?: string;
  readonly etag?: string;
  /** Where the store tells it beforehand. */
  readonly size?: number;
}

export interface Fetched extends Omit<Version, 'size'>, Saved {
  /** What the file would be called, where the key does not say: its ending tells an archive from a bare model file. */
  readonly fileName?: string;
}

export interface Store {
  /** What the key holds now; costs no download. Throws LoadError with a store reason. */
  look(key: string, signal: AbortSignal): Promise<Version>;
  /** Downloads exactly the wanted version to the file `path`. Throws LoadError: store reasons, ArtifactTooLarge, ChecksumMismatch. */
  fetch(wanted: Wanted, path: string, limits: Limits, signal: AbortSignal): Promise<Fetched>;
}
