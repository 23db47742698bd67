// How a file is changed under somebody who may be reading it.
import { rename, writeFile } from 'node:fs/promises';

/** Puts another content at `path` at once: whoever opens it finds the old one or the new one, whole. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}
