// The Python environments of tier `clients`: what others have written to ask a model server.
import { CommandFailed } from '../cluster/command.ts';
import { MissingPart } from '../cluster/missing.ts';
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
  const requirements = new URL(`${name}.txt`, FIXTURES);
  try {
    return await venv(`clients-${name}`, { requirements, expectedSeconds: 60, ...options });
  } catch (cause) {
    if (!(cause instanceof CommandFailed) || options.signal?.aborted === true) throw cause;
    throw new MissingPart(`pip does not install test/fixtures/clients/${name}.txt: ${cause.message.slice(-300)}`, {
      cause,
    });
  }
}

/** Makes all of them. Throws MissingPart when this machine has no Python. */
export async function prepareClients(options: Options): Promise<void> {
  for (const name of ['kserve', 'mlserver'] as const) await environment(name, options);
}
