// Which parts of `npm test` a command line means. A part is prepared only when it has something to run: a node takes its time.
import { UsageError } from './command-line.ts';

export const PARTS = ['static', 'unit', 'component', 'clients', 'host', 'api', 'cluster'] as const;
export type Part = (typeof PARTS)[number];

/** Ends of the names of test files; the same as in vitest.config.ts. */
const ENDINGS = {
  component: '.component.test.ts',
  unit: '.test.ts',
  clients: '.clients.ts',
  host: '.host.ts',
  api: '.api.ts',
  cluster: '.cluster.ts',
} as const;

/** The part that a test file belongs to, by its name; undefined for other files. */
function partOf(file: string): Part | undefined {
  if (file.endsWith(ENDINGS.component)) return 'component';
  return (['unit', 'clients', 'host', 'api', 'cluster'] as const).find((part) => file.endsWith(ENDINGS[part]));
}

/**
 * Parts to run, in their order: those asked for (none: all), with filters only those that have a file with one of them in its path. Throws
 * {@link UsageError} for filters that no file has.
 */
export function selectParts(only: readonly Part[], filters: readonly string[], files: readonly string[]): Part[] {
  const asked = PARTS.filter((part) => only.length === 0 || only.includes(part));
  if (filters.length === 0) return asked;
  const matching = files.filter((file) => filters.some((filter) => file.includes(filter)));
  const selected = asked.filter((part) => matching.some((file) => partOf(file) === part));
  if (selected.length > 0) return selected;
  throw new UsageError(`No test file of ${asked.join(', ')} has "${filters.join('" or "')}" in its path.`);
}
