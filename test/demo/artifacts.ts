// The models that the demo uploads: real scikit-learn forests from test/fixtures, with the answers that scikit-learn gave to the baskets.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';
import * as z from 'zod';
import type { Basket } from '../load/contract.ts';
import { anArchive } from '../support/an-archive.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

/** A file to upload, and what pods that serve it report. */
export interface Artifact {
  readonly bytes: Buffer;
  readonly sha256: string;
  /** `version` of its metadata.json. */
  readonly version: string;
}

/** Fixture → version. */
export const MODELS = { 'basket-blue': 'blue-1', 'basket-blue-2': 'blue-2', 'basket-green': 'green-1' } as const;
export type ModelName = keyof typeof MODELS;

export async function readArtifact(name: ModelName): Promise<Artifact> {
  return artifactOf(await readFile(join(FIXTURES, 'models', name, 'model.tar.gz')), MODELS[name]);
}

export function artifactOf(bytes: Buffer, version: string): Artifact {
  return { bytes, version, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** As an upload that broke off: the first half. */
export function truncated({ bytes }: Artifact): Artifact {
  return artifactOf(bytes.subarray(0, Math.floor(bytes.length / 2)), 'truncated');
}

/** The same model under another `version`, as a pipeline that trains every night would upload it. Throws for bytes that are no archive. */
export async function asVersion({ bytes }: Artifact, version: string): Promise<Artifact> {
  const archive = tar.extract();
  const entries: (readonly [string, Buffer])[] = [];
  const read = pipeline(Readable.from([bytes]), createGunzip(), archive);
  for await (const entry of archive) {
    const content = await buffer(entry);
    const { name } = entry.header;
    entries.push([name, name === 'metadata.json' ? Buffer.from(withVersion(content.toString(), version)) : content]);
  }
  await read;
  return artifactOf(await anArchive(entries), version);
}

function withVersion(metadata: string, version: string): string {
  return JSON.stringify({ ...z.looseObject({}).parse(JSON.parse(metadata)), version });
}

const Baskets = z.array(
  z.object({
    body: z.string(),
    answers: z.record(z.string(), z.object({ sensitivity: z.string(), confidence: z.number() })),
  }),
);

/** Requests, each with the answer that every version has to give. */
export async function readBaskets(): Promise<Basket[]> {
  const baskets = Baskets.parse(JSON.parse(await readFile(join(FIXTURES, 'baskets.json'), 'utf8')));
  return baskets.map(({ body, answers }) => ({
    body,
    answers: Object.fromEntries(
      Object.entries(MODELS).flatMap(([name, version]) => {
        const answer = answers[name];
        return answer === undefined ? [] : [[version, answer] as const];
      }),
    ),
  }));
}
