// What joblib may have compressed a file with: zlib, gzip and xz are undone, each up to a limit of bytes, others refused by name.
import { gunzipSync, inflateSync } from 'node:zlib';
import { ModelError } from '../model/errors.ts';

const CHUNK_BYTES = 256 * 1024;
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a];

/** First bytes of the compressions that joblib offers and that are not read. */
const REFUSED: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'bz2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'joblib 0.9', magic: [0x5a, 0x46] },
  // its decoder is asynchronous: `withoutXz` comes before, and does not look twice
  { name: 'xz', magic: XZ },
];

/** The content of a file that is plain or compressed with zlib or gzip. Throws ModelError; never holds more than `maxBytes` of it. */
export function decompressed(file: Uint8Array, maxBytes: number): Uint8Array {
  const refused = REFUSED.find(({ magic }) => startsWith(file, magic));
  if (refused !== undefined) {
    throw new ModelError(
      'UnsupportedModel',
      `compressed with ${refused.name}, which is not supported: save with joblib.dump(model, path, compress=('zlib', 3))`,
    );
  }
  if (startsWith(file, [0x1f, 0x8b])) return unpacked(gunzipSync, file, maxBytes);
  if (isZlib(file)) return unpacked(inflateSync, file, maxBytes);
  if (file.length > maxBytes) throw tooLarge(maxBytes);
  return file;
}

/**
 * A file without its xz compression, where it has one. The decoder is loaded with the first such file; it is WebAssembly, which reaches no memory but its own, and
 * takes no dictionary that joblib does not write (64 MiB). Throws ModelError; never unpacks more than `maxBytes`, which it holds twice for a moment.
 */
export async function withoutXz(file: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (!startsWith(file, XZ)) return file;
  const { default: xz } = await import('xz-decompress');
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of new xz.XzReadableStream(new Blob([file]).stream())) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw damagedData(error instanceof Error ? error.message : 'unknown error', error);
  }
  return Buffer.concat(chunks, size);
}

function startsWith(file: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => file[at] === byte);
}

/** RFC 1950: method 8, and the two header bytes are a multiple of 31. No pickle starts with 0x?8. */
function isZlib(file: Uint8Array): boolean {
  const [first = 0, second = 0] = file;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0;
}

function unpacked(unpack: typeof inflateSync, file: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return unpack(file, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : damagedData(code, cause);
  }
}

function damagedData(why: string, cause: unknown): ModelError {
  return new ModelError('LoadFailed', `the compressed data is damaged or cut off (${why}); upload the file again`, {
    cause,
  });
}

function tooLarge(maxBytes: number): ModelError {
  return new ModelError(
    'ArtifactTooLarge',
    `the model file is larger than ${maxBytes} bytes; use fewer or smaller trees`,
  );
}
