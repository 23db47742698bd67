// Writes the table of docs/models-tested.md from the golden files that the tests prove: `npm run compatibility`.
import { readFileSync, writeFileSync } from 'node:fs';
import { type GoldenCase, goldenCases, onnxCases, toleranceOf } from './support/estimator-fixtures.ts';
import { OUTPUTS, type OutputName } from '../inference/model/model.ts';

const PAGE = new URL('../docs/models-tested.md', import.meta.url);
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
  const outputs = OUTPUTS.filter((output) => first[output] !== undefined);
  const named = outputs.map((output) => `\`${output}\``).join(', ');
  return `| ${caseOf(first)} | ${first.library} | ${versions.join(', ')} | ${named} | ${nearnessOf(first, outputs)} |`;
}

/** The methods that are not equal to the last bit are named. */
function nearnessOf(golden: GoldenCase, outputs: readonly OutputName[]): string {
  const scale = golden.file.endsWith('.onnx') ? 'of the largest answer' : 'relative';
  const near = Map.groupBy(outputs, (output) => toleranceOf(golden, output));
  const texts = [...near].map(([tolerance, named]) => {
    const nearness = tolerance === 0 ? 'the last bit' : `${tolerance} ${scale}`;
    return near.size === 1 ? nearness : `${named.map((output) => `\`${output}\``).join(', ')}: ${nearness}`;
  });
  return texts.join('; ');
}

if (import.meta.main) {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    page.replace(TABLE, () => compatibilityTable([...goldenCases(), ...onnxCases()])),
  );
  process.stdout.write('docs/models-tested.md is up to date.\n');
}
