// What the parts of `npm test` need, brought together for all of them at once and before any runs: packages, images and Python environments are fetched while
// Go compiles, and no test has to share the processors with a compiler.
import { prepareClients } from './clients/environments.ts';
import { buildOnnxImage } from './cluster/images.ts';
import { MissingPart } from './cluster/missing.ts';
import { prepareImages, preparePrograms, type PrepareOptions } from './cluster/prepare.ts';
import { buildPythonService } from './cluster/python-image.ts';
import { together } from './cluster/together.ts';
import type { Part } from './selection.ts';
import { prepareForeignServers } from './support/foreign-servers.ts';

type Work = (options: PrepareOptions) => Promise<void>;

/** Prepares all these parts. Answers why some of them cannot run on this machine. */
export async function prepareParts(
  parts: readonly Part[],
  options: PrepareOptions,
): Promise<ReadonlyMap<Part, MissingPart>> {
  const missing = new Map<Part, MissingPart>();
  const attempt = async (part: Part, work: Work, combined: PrepareOptions) => {
    if (!parts.includes(part) || missing.has(part)) return;
    await work(combined).catch((error: unknown) => {
      if (!(error instanceof MissingPart)) throw error;
      missing.set(part, error);
    });
  };
  let containers: Promise<void> | undefined;
  const prepareOnce: Work = (combined) => (containers ??= prepareContainers(combined));
  // Three kinds of work that do not wait for each other; within a kind one thing at a time.
  const kinds: readonly (readonly (readonly [Part, Work])[])[] = [
    [
      ['api', async (combined) => preparePrograms('api', combined)],
      ['cluster', async (combined) => preparePrograms('cluster', combined)],
    ],
    [
      ['host', prepareOnce],
      ['cluster', prepareOnce],
    ],
    [
      ['clients', prepareClients],
      ['clients', async (combined) => ahead(() => prepareForeignServers(combined))],
    ],
  ];
  const works = kinds.map((kind) => async (signal: AbortSignal) => {
    for (const [part, work] of kind) await attempt(part, work, { ...options, signal });
  });
  await together(options.signal, ...works);
  return missing;
}

async function prepareContainers(options: PrepareOptions): Promise<void> {
  await prepareImages(options);
  await ahead(() => buildOnnxImage(options.onProgress, options.signal));
  await ahead(() => buildPythonService(options.onProgress, options.signal));
}

/** What some tests make for themselves where it is missing. A failure is left to them to tell, and to the others to run without it. */
async function ahead(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined);
}
