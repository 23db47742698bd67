// Set-up of the tests of whole servers: a folder for the model server, which the first test that wants it builds (server-process.ts).
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the model server is built; tier `component` only. */
    buildDir: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const buildDir = await mkdtemp(join(tmpdir(), 'switchyard-build-'));
  project.provide('buildDir', buildDir);
  // in watch mode the sources have changed
  project.onTestsRerun(async () => {
    for (const name of await readdir(buildDir)) await rm(join(buildDir, name), { recursive: true });
  });
  return () => rm(buildDir, { recursive: true });
}
