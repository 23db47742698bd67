// Builds model.tar.gz files, right and wrong ones.
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import type { Header } from 'tar-stream';

type Entry = readonly [name: string | Partial<Header>, content: string | Uint8Array];

/** A gzipped tar with these entries, in this order. */
export async function anArchive(entries: readonly Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [header, content] of entries) {
    const fields = typeof header === 'string' ? { name: header } : header;
    pack.entry({ name: 'x', ...fields }, Buffer.from(content));
  }
  pack.finalize();
  return gzipSync(await buffer(pack));
}
