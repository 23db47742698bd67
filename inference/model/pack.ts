// Packs the loose files of a directory into the archive that they would be: as a stream, and to the same bytes whenever the files are the same.
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import tar from 'tar-stream';
import type { Pack } from 'tar-stream';
import { LoadError } from '../errors.ts';
import { contentOf } from './local-files.ts';
import type { LocalFile } from './local-files.ts';

/** No other strategy gives the same bytes on every processor: the tables in which zlib looks for repetitions are built by what the processor can do. */
const GZIP = { level: 1, strategy: constants.Z_RLE };
/** Of every entry. */
const MTIME = new Date(0);

/** The bytes of a tar.gz with these files. Throws LoadError when a file changes meanwhile. */
export async function* packed(files: readonly LocalFile[]): AsyncGenerator<Uint8Array> {
  const pack = tar.pack();
  const gzip = createGzip(GZIP);
  const zipped = pipeline(pack, gzip);
  const filled = fill(pack, files).catch((error: unknown) => {
    pack.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  // The reader of `gzip` gets the same error.
  zipped.catch(() => undefined);
  try {
    yield* gzip as AsyncIterable<Uint8Array>;
  } finally {
    gzip.destroy();
    await filled;
  }
}

async function fill(pack: Pack, files: readonly LocalFile[]): Promise<void> {
  for (const file of files) {
    const { name, size } = file;
    await pipeline(ofSize(file), pack.entry({ name, size, mtime: MTIME }));
  }
  pack.finalize();
}

/** A file that grows or shrinks while it is read would damage the archive. */
async function* ofSize(file: LocalFile): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of contentOf(file)) {
    size += chunk.length;
    // a copy: tar asks for the next piece while gzip still reads this one
    yield Buffer.from(chunk);
  }
  if (size !== file.size) throw new LoadError('ObjectChanged', `${file.path} changed while it was read`);
}
