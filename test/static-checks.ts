// Format, types and lint: programs of node_modules, and how each is told of what has not changed since it last looked.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
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
  const unless = (...args: readonly string[]) => (fresh ? [] : args);
  const cached = ['--cache', '--cache-strategy=content'];
  return [
    {
      name: 'prettier',
      program: 'prettier/bin/prettier.cjs',
      args: ['--check', '--log-level=warn', '.', ...unless(...cached)],
    },
    {
      name: 'tsc',
      program: 'typescript/bin/tsc',
      args: ['--noEmit', ...unless('--incremental', '--tsBuildInfoFile', `${CACHE}/tsc.json`)],
    },
    {
      name: 'eslint',
      program: 'eslint/bin/eslint.js',
      args: ['.', ...unless(...cached, `--cache-location=${CACHE}/eslint/${hashOfSources()}`)],
    },
  ];
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const path of globSync(SOURCES, { cwd: projectRoot }).toSorted()) {
    hash.update(`${path}\0`).update(readFileSync(join(projectRoot, path)));
  }
  return hash.digest('hex').slice(0, 16);
}
