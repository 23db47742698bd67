// From a verified file to a model that answers in this process.
import { isoOf } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { checkCompatible } from './checks.ts';
import type { Loader } from './loader.ts';
import { servedModel } from './served.ts';
import type { ServedModel } from './served.ts';
import type { Prepare } from './slot.ts';

/** Throws what `loader` throws, and SchemaIncompatible when clients of the former model could not use this one. */
export function servedBy(loader: Loader, clock: Clock): Prepare<ServedModel> {
  return async (artifact, { revision, former }, signal) => {
    const { key, path, fileName = key } = artifact;
    const loaded = await loader({ key: fileName, path }, signal);
    try {
      const next = servedModel(loaded, artifact, { revision, loadedAt: isoOf(clock()) });
      if (former !== undefined) checkCompatible(next.schema, former.schema);
      return next;
    } catch (error) {
      loaded.model.remote?.letGo();
      throw error;
    }
  };
}
