// The Python environments of tier `clients`: what others have written to ask a model server.
import type { OnProgress } from '../progress.ts';
import { venv } from '../python.ts';

/** Client packages, by the file of requirements in test/fixtures/clients. */
export type Environment = 'kserve' | 'mlserver';

const FIXTURES = new URL('../fixtures/clients/', import.meta.url);

interface Options {
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Folder of an environment, made when it is missing. Throws MissingPart. */
export async function environment(name: Environment, options: Options): Promise<string> {
  return venv(`clients-${name}`, { requirements: new URL(`${name}.txt`, FIXTURES), expectedSeconds: 60, ...options });
}

/** Makes all of them. Throws MissingPart when this machine has no Python. */
export async function prepareClients(options: Options): Promise<void> {
  for (const name of ['kserve', 'mlserver'] as const) await environment(name, options);
}
