// Format, types and lint: programs of node_modules, and how each is told of what has not changed since it last looked.

export interface StaticCheck {
  readonly name: string;
  /** A path in node_modules. */
  readonly program: string;
  readonly args: readonly string[];
}

const CACHE = 'node_modules/.cache';

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
      program: 'typescript/bin/tsc',
      args: ['--noEmit', ...(fresh ? [] : ['--incremental', '--tsBuildInfoFile', `${CACHE}/tsc.json`])],
    },
    { name: 'oxlint', program: 'oxlint/bin/oxlint', args: ['.'] },
  ];
}
