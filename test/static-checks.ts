// Format, types and lint: programs of node_modules, and how each is told of what has not changed since it last looked.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './cluster/config.ts';

export interface StaticCheck {
  readonly name: string;
  /** A path in node_modules. */
  readonly program: string;
  readonly args: readonly string[];
}

const CACHE = 'node_modules/.cache';
/** All that lint's answer to one file may depend on: rules ask for the types of others. */
const SOURCES = ['{operator,inference,router,cli,test,build}/**/*.{ts,js,mjs,cjs}', '*.{ts,js,json}'];

/** `fresh`: as if nothing had been looked at before. */
export function staticChecks(fresh: boolean): readonly StaticCheck[] {
  const cached = fresh ? [] : ['--cache', '--cache-strategy=content'];
  return [
    {
      name: 'prettier',
      program: 'prettier/bin/prettier.cjs',
      args: ['--check', '--log-level=warn', '.', ...cached],
    },
    {
      name: 'tsc',
      program: '@typescript/native/bin/tsc',
      args: ['--noEmit', ...(fresh ? [] : ['--incremental', '--tsBuildInfoFile', `${CACHE}/tsc.json`])],
    },
    {
      name: 'eslint',
      program: 'eslint/bin/eslint.js',
      args: ['.', ...cached, ...(fresh ? [] : [`--cache-location=${lintCache()}`])],
    },
  ];
}

/** Of these sources; what was kept of others goes. */
function lintCache(): string {
  const path = `${CACHE}/eslint/${hashOfSources()}`;
  if (!existsSync(join(projectRoot, path)))
    rmSync(join(projectRoot, CACHE, 'eslint'), { recursive: true, force: true });
  return path;
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const path of globSync(SOURCES, { cwd: projectRoot }).toSorted()) {
    hash.update(`${path}\0`).update(readFileSync(join(projectRoot, path)));
  }
  return hash.digest('hex').slice(0, 16);
}
