// From a verified file to a model that answers in this process.
import { isoOf } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { Loader } from './loader.ts';
import type { ReadArtifact } from './read-artifact.ts';
import { servedModel } from './served.ts';
import type { ServedModel } from './served.ts';
import type { Prepare } from './slot-options.ts';

/** Readies others for a model that was read; ended by `signal`. */
export type Share = (next: ServedModel, artifact: ReadArtifact, signal: AbortSignal) => Promise<void>;

/** Throws what `loader` and `share` throw. `share`: readies other threads for it. */
export function servedBy(loader: Loader, clock: Clock, share?: Share): Prepare<ServedModel> {
  return async (artifact, revision, signal) => {
    const { key, path, fileName = key } = artifact;
    const loaded = await loader({ key: fileName, path }, signal);
    try {
      const next = servedModel(loaded, artifact, { revision, loadedAt: isoOf(clock()) });
      await share?.(next, loaded.artifact, signal);
      return next;
    } catch (error) {
      loaded.model.remote?.letGo();
      throw error;
    }
  };
}
