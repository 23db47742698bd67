// Runs one of the client scripts of test/fixtures/clients against a model server of this process.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/command.ts';
import { freePorts } from '../cluster/ports.ts';
import { startInference } from '../support/inference-rig.ts';
import type { Rig } from '../support/inference-rig.ts';
import { environment } from './environments.ts';
import type { Environment } from './environments.ts';

const FIXTURES = new URL('../fixtures/clients/', import.meta.url);
const CLIENT_MS = 50_000;

/** Starts a server with REST and gRPC that calls its model `model`. */
export async function startServer(path: string, model: string): Promise<Rig> {
  const [port = 0] = await freePorts(1);
  return startInference({ MODEL_PATH: path, MODEL_DEPLOYMENT: model, GRPC_PORT: String(port) });
}

export interface Question {
  readonly model: string;
  /** Names of the columns; none: the client sends tables only. */
  readonly features: readonly string[];
  /** Those of them that take text. */
  readonly texts?: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** What a script prints: by protocol, and within by the case that it tried. */
export type Findings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Throws CommandFailed with what the script said on stderr. */
export async function ask(name: Environment, script: string, server: Rig, asked: Question): Promise<Findings> {
  const folder = await environment(name, { onProgress: () => undefined });
  const { version } = (await server.get('/model/info')).json as { version: string };
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-client-'));
  try {
    const file = join(dir, 'question.json');
    const question = { texts: [], ...asked };
    await writeFile(file, JSON.stringify({ http: server.url, grpc: server.grpcAddress, version, ...question }));
    const path = new URL(script, FIXTURES).pathname;
    const stdout = await run(join(folder, 'bin/python'), [path, file], { timeoutMs: CLIENT_MS });
    return JSON.parse(stdout) as Findings;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
