// What the parts of `npm test` need, begun for all of them at once: packages, images and Python environments are fetched while Go compiles.
import { prepareClients } from './clients/environments.ts';
import { prepareImages, preparePrograms, type PrepareOptions } from './cluster/prepare.ts';
import { buildPythonService } from './cluster/python-image.ts';
import { together } from './cluster/together.ts';
import type { Part } from './selection.ts';
import { prepareForeignServers } from './support/foreign-servers.ts';

/** Waits for what a part needs. Throws MissingPart when this machine cannot have it. */
export type Prepared = (part: Part) => Promise<void>;

/** Begins the preparation of all these parts; a failure is told to the part that waits for it. */
export function beginPreparation(parts: readonly Part[], options: PrepareOptions): Prepared {
  const begun = new Map<Part, Promise<void>>();
  const begin = (part: Part, work: () => Promise<void>): void => {
    if (!parts.includes(part)) return;
    const promise = work();
    promise.catch(() => undefined);
    begun.set(part, promise);
  };
  const prepared: Prepared = async (part) => begun.get(part);
  begin('clients', async () => prepareClients(options));
  begin('api', async () => preparePrograms('api', options));
  begin('cluster', async () => prepareNode(options, prepared));
  return prepared;
}

/** One thing at a time of each kind: programs after those of the other tier, Python environments after those of the clients. */
async function prepareNode({ onProgress, signal }: PrepareOptions, prepared: Prepared): Promise<void> {
  await together(
    signal,
    async (combined) => {
      await prepared('api');
      await preparePrograms('cluster', { onProgress, signal: combined });
    },
    async (combined) => {
      await prepareImages({ onProgress, signal: combined });
      await ahead(() => buildPythonService(onProgress, combined));
    },
    async (combined) => {
      await ahead(() => prepared('clients'));
      await ahead(() => prepareForeignServers({ onProgress, signal: combined }));
    },
  );
}

/** What some tests make for themselves where it is missing. A failure is left to them to tell, and to the others to run without it. */
async function ahead(work: () => Promise<void>): Promise<void> {
  await work().catch(() => undefined);
}
