// Writes the table of docs/models.md from the golden files that the tests prove: `npm run compatibility`.
import { readFileSync, writeFileSync } from 'node:fs';
import { type GoldenCase, goldenCases, modelOfCase } from './support/estimator-fixtures.ts';
import { outputsOf } from '../inference/model/model.ts';

const PAGE = new URL('../docs/models.md', import.meta.url);
/** The part of the page that is generated. */
export const TABLE = /<!-- table -->[^]*<!-- \/table -->/;

/** One row for each case and kind of file: what was asked of it, by which versions it was written, and how near the answers are. */
export function compatibilityTable(cases: readonly GoldenCase[]): string {
  const groups = Map.groupBy(cases, (golden) => `${caseOf(golden)} ${golden.library}`);
  const rows = [...groups.values()].map(rowOf);
  return [
    '<!-- table -->',
    '',
    '| model | written by | versions | answers | equal to |',
    '| --- | --- | --- | --- | --- |',
    ...rows.toSorted(),
    '',
    '<!-- /table -->',
  ].join('\n');
}

function caseOf({ name }: GoldenCase): string {
  return name.slice(0, name.lastIndexOf('/'));
}

function rowOf(group: readonly GoldenCase[]): string {
  const [first] = group;
  if (first === undefined) return '';
  const versions = group.map(({ version }) => version).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const outputs = outputsOf(modelOfCase(first)).map((output) => `\`${output}\``);
  const exact = first.tolerance === 0 ? 'the last bit' : `${first.tolerance} relative`;
  return `| ${caseOf(first)} | ${first.library} | ${versions.join(', ')} | ${outputs.join(', ')} | ${exact} |`;
}

if (import.meta.main) {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    page.replace(TABLE, () => compatibilityTable(goldenCases())),
  );
  process.stdout.write('docs/models.md is up to date.\n');
}
