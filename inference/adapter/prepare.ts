// From a verified file to a version that can be handed over: checked as far as that is possible without running it.
import { isoOf } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { checkCompatible } from '../model/checks.ts';
import type { Loader } from '../model/loader.ts';
import type { Manifest } from '../model/manifest.ts';
import { headerSafe } from '../model/served.ts';
import type { Prepare } from '../model/slot-options.ts';
import { inspect } from './archive.ts';
import type { Adapted } from './handover.ts';

export interface AdaptedOptions {
  /** Of the unpacked archive. */
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Reads the model too, so that its golden rows are checked: for formats that our own reader knows. */
  readonly loader?: Loader;
}

/** Throws LoadError: the reasons of `inspect` and of the loader. */
export function adaptedBy({ maxBytes, clock, loader }: AdaptedOptions): Prepare<Adapted> {
  return async (artifact, revision, signal) => {
    const { key, path, fileName = key, versionId, etag, sha256, size } = artifact;
    const file = { key: fileName, path };
    const { manifest, version: expectedVersion } = await inspect(file, { maxBytes }, signal);
    await loader?.(file, signal);
    const { version } = manifest;
    return {
      ...file,
      manifest,
      expectedVersion,
      version,
      versionHeader: headerSafe(version),
      active: {
        version,
        key,
        sha256,
        size,
        ...(revision !== undefined && { revision }),
        ...(versionId !== undefined && { versionId }),
        ...(etag !== undefined && { etag }),
      },
      loadedAt: isoOf(clock()),
    };
  };
}

/** The authors' word is all there is: both versions declare features, and they differ. Throws SchemaIncompatible. */
export function checkAdaptedSuccessor({ manifest: next }: Adapted, { manifest: former }: Adapted): void {
  if (declaredFeatures(next).length === 0 || declaredFeatures(former).length === 0) return;
  const schemaOf = (manifest: Manifest) => {
    const features = declaredFeatures(manifest);
    return { features, width: features.length, classes: [], outputs: [] };
  };
  checkCompatible(schemaOf(next), schemaOf(former));
}

function declaredFeatures({ declared, features }: Manifest): readonly string[] {
  return declared ? features : [];
}
