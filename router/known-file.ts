// What the agent knew last, in a file beside HAProxy's: an agent that restarts while the API server is down stays ready.
import { readFile, rename, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { RouterTable } from './contract.ts';
import type { Endpoints } from './endpoints.ts';

const Endpoint = z.strictObject({ uid: z.string(), address: z.string(), port: z.int(), ready: z.boolean() });
const Content = z.strictObject({
  table: RouterTable,
  endpoints: z.array(z.tuple([z.string(), z.array(Endpoint)])),
});

export interface Remembered {
  readonly table: RouterTable;
  readonly endpoints: Endpoints;
}

function pathIn(directory: string): string {
  return `${directory}/known.json`;
}

/** Undefined when there is nothing, or nothing that can be understood. */
export async function recall(directory: string): Promise<Remembered | undefined> {
  try {
    const { table, endpoints } = Content.parse(JSON.parse(await readFile(pathIn(directory), 'utf8')));
    return { table, endpoints: new Map(endpoints) };
  } catch {
    return undefined;
  }
}

/** Rejects with the error of the file system. */
export async function remember(
  directory: string,
  { table, endpoints }: Remembered,
  signal: AbortSignal,
): Promise<void> {
  const path = pathIn(directory);
  await writeFile(`${path}.new`, JSON.stringify({ table, endpoints: [...endpoints] }), { signal });
  await rename(`${path}.new`, path);
}
