// metadata.json beside the model: read, and written back with a reference, everything else as it was.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Reference } from '../inference/monitoring/reference.ts';
import { CliError } from './errors.ts';

export type Metadata = Readonly<Record<string, unknown>>;

/** Throws CliError. */
export async function readMetadata(path: string): Promise<Metadata> {
  const content = await read(path);
  let metadata: unknown;
  try {
    metadata = JSON.parse(content);
  } catch (error) {
    const hint = /\bNaN\b/.test(content) ? '; NaN is no JSON: write null' : '';
    throw new CliError(`${path} is not JSON${hint} (${messageOf(error)})`, { cause: error });
  }
  if (typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)) return { ...metadata };
  throw new CliError(`${path} must hold a JSON object`);
}

/** `features` of the metadata; undefined when it has none. */
export function featuresOf({ features }: Metadata): readonly string[] | undefined {
  if (!Array.isArray(features) || features.length === 0) return undefined;
  return features.every((name) => typeof name === 'string') ? features : undefined;
}

/** Writes beside the file first: whoever reads it sees the old one or the new one. Throws CliError. */
export async function writeReference(path: string, metadata: Metadata, reference: Reference): Promise<void> {
  const written = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(written, `${JSON.stringify({ ...metadata, reference }, undefined, 2)}\n`);
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true });
    throw new CliError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
