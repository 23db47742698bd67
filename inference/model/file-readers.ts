// Which reader a model file has. A new format is one entry here and, for archives, one name.
import { BOOSTER_FILES, readBoosterFile } from '../estimators/booster-file.ts';
import { Reading } from '../estimators/reading.ts';
import { allowedNames, definitions } from '../estimators/registry.ts';
import { shown } from '../formats/byte-reader.ts';
import { readJoblib } from '../formats/joblib.ts';
import { ModelError } from './errors.ts';
import type { ModelData } from './model-data.ts';

interface FileReader {
  /** Of the file's name. */
  readonly endings: RegExp;
  /** Reads a file, and holds at most `maxBytes` of its content and of the finished arrays. Throws ModelError. */
  readonly read: (bytes: Uint8Array, maxBytes: number) => ModelData;
}

/** Names of files of joblib.dump and pickle.dump. */
export const PICKLED = /\.(joblib|pkl|pickle)$/i;

const READERS: readonly FileReader[] = [
  { endings: PICKLED, read: readPickled },
  { endings: BOOSTER_FILES, read: readBoosterFile },
];

/** The reader of a file by its name. Throws ModelError for a kind of file that has none. */
export function readerOf(fileName: string): FileReader['read'] {
  const reader = READERS.find(({ endings }) => endings.test(fileName));
  if (reader !== undefined) return reader.read;
  throw new ModelError(
    'UnsupportedModel',
    `${shown(fileName)}: no reader for this kind of file; see docs/models.md for those that there are, such as model.joblib`,
  );
}

function readPickled(bytes: Uint8Array, maxBytes: number): ModelData {
  const reading = new Reading(definitions, maxBytes);
  const fitted = reading.root(readJoblib(bytes, allowedNames, maxBytes));
  const featureNames = reading.columnNames(fitted);
  const writtenBy = fitted.state.get('_sklearn_version');
  const root = reading.predictor(fitted);
  const unused = reading.unused(fitted.columns);
  return {
    features: fitted.columns,
    ...(featureNames && { featureNames }),
    texts: reading.texts,
    ...(unused.length > 0 && { unused }),
    ...(typeof writtenBy === 'string' && { writtenBy: writtenBy.slice(0, 40) }),
    root,
  };
}
