// Format, types and lint: programs of node_modules. What has not changed since format and types last looked they leave out; lint is fast enough without.

export interface StaticCheck {
  readonly name: string;
  /** A path in node_modules. */
  readonly program: string;
  readonly args: readonly string[];
}

const CACHE = 'node_modules/.cache';

/** `fresh`: as if nothing had been looked at before. */
export function staticChecks(fresh: boolean): readonly StaticCheck[] {
  return [
    {
      name: 'prettier',
      program: 'prettier/bin/prettier.cjs',
      args: ['--check', '--log-level=warn', '.', ...(fresh ? [] : ['--cache', '--cache-strategy=content'])],
    },
    {
      name: 'tsc',
      program: 'typescript/bin/tsc',
      args: ['--noEmit', ...(fresh ? [] : ['--incremental', '--tsBuildInfoFile', `${CACHE}/tsc.json`])],
    },
    { name: 'oxlint', program: 'oxlint/bin/oxlint', args: ['.'] },
  ];
}
