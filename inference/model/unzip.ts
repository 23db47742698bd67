// A gzip file, unpacked: in one piece where it is not too large. A stream takes twice the time, and its pieces stay in memory until garbage is collected.
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';

/** Files of more bytes are read in pieces. */
export const WHOLE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 512 * 1024;
/** Most memory that is asked for at once. */
const MOST_BYTES = 1024 * 1024 * 1024;
/** Deflate cannot make more of one byte. */
const MOST_PER_BYTE = 1032;

/** Files of up to `wholeBytes` come in one piece. Throws the errors of zlib: ERR_BUFFER_TOO_LARGE for one piece of more than `maxBytes`. */
export async function* unzip(path: string, maxBytes: number, wholeBytes = WHOLE_BYTES): AsyncGenerator<Buffer> {
  const { size } = await stat(path);
  if (size > wholeBytes) yield* pieces(path);
  else yield whole(readFileSync(path), maxBytes);
}

function whole(zipped: Buffer, maxBytes: number): Buffer {
  return gunzipSync(zipped, { maxOutputLength: maxBytes, chunkSize: Math.min(sizeOf(zipped), maxBytes) + 1 });
}

/** The size as the file's last bytes say it: no more than a hint, by which everything is found in the first piece of memory that is asked for. */
function sizeOf(zipped: Buffer): number {
  const stated = zipped.length < 4 ? 0 : zipped.readUInt32LE(zipped.length - 4);
  return Math.max(PIECE_BYTES, Math.min(stated, zipped.length * MOST_PER_BYTE, MOST_BYTES));
}

async function* pieces(path: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  // What goes wrong is thrown by the loop below.
  pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), gunzip).catch(() => undefined);
  for await (const piece of gunzip) yield piece as Buffer;
}
