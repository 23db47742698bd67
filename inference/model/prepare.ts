// From a verified file to a model that answers in this process.
import { isoOf } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { Loader } from './loader.ts';
import { servedModel } from './served.ts';
import type { ServedModel } from './served.ts';
import type { Prepare } from './slot.ts';

/** Throws what `loader` throws. */
export function servedBy(loader: Loader, clock: Clock): Prepare<ServedModel> {
  return async (artifact, revision, signal) => {
    const { key, path, fileName = key } = artifact;
    const loaded = await loader({ key: fileName, path }, signal);
    try {
      return servedModel(loaded, artifact, { revision, loadedAt: isoOf(clock()) });
    } catch (error) {
      loaded.model.remote?.letGo();
      throw error;
    }
  };
}
