// Every estimator that is claimed, of every version that is claimed, gives the answers that its library gave; docs/models-tested.md says no more than that.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TABLE, compatibilityTable } from '../../test/compatibility.ts';
import {
  type GoldenCase,
  differences,
  expectedOf,
  goldenCases,
  modelOfCase,
  onnxCases,
  rowsOfCase,
  toleranceOf,
} from '../../test/support/estimator-fixtures.ts';
import { type Model, OUTPUTS, methodOf, outputsOf } from '../model/model.ts';
import { definitions } from './registry.ts';

const cases = goldenCases();

/** What is wrong with the answers to all rows at once, by method. */
function wrongAnswers(golden: GoldenCase, model: Model): string[] {
  const rows = rowsOfCase(golden, model);
  return OUTPUTS.flatMap((output) => {
    const expected = expectedOf(golden, output);
    const method = methodOf(model, output);
    if (expected === undefined || method === undefined) return [];
    const found = differences(method(rows, golden.inputs.length), expected, toleranceOf(golden, output));
    return found.map((difference) => `${output} ${difference}`);
  });
}

describe.each(cases)('$name', (golden) => {
  const model = modelOfCase(golden);

  it('answers a batch as its library does', () => {
    expect(wrongAnswers(golden, model)).toEqual([]);
  });

  it('answers row by row what it answers in a batch', () => {
    const rows = rowsOfCase(golden, model);
    const different = outputsOf(model).filter((output) => {
      const method = methodOf(model, output);
      const alone = golden.inputs.flatMap((_, row) => [
        ...(method?.(rows.subarray(row * model.features, (row + 1) * model.features), 1) ?? []),
      ]);
      return differences(method?.(rows, golden.inputs.length) ?? rows, alone, 0).length > 0;
    });

    expect(different).toEqual([]);
  });

  it('has the class, the labels and the methods of the original', () => {
    const methods = OUTPUTS.filter((output) => golden[output] !== undefined);

    expect(model.modelType).toBe(golden.class);
    expect(model.features).toBe(golden.inputs[0]?.length);
    expect(model.classes).toEqual(model.task === 'classifier' ? golden.classes : []);
    expect(outputsOf(model)).toEqual(methods);
  });
});

describe('the claims', () => {
  it('are proven for every class that is read', () => {
    const classes = new Set([...definitions.keys()].map((path) => path.slice(path.lastIndexOf('.') + 1)));
    // a transformer is proven inside of the pipelines that are named after it
    const proven = new Set(cases.flatMap(({ name }) => name.split(/[/+-]/)));

    expect([...classes].filter((name) => !proven.has(name))).toEqual([]);
  });

  it('are the table of docs/models-tested.md, else: npm run compatibility', () => {
    const page = readFileSync(new URL('../../docs/models-tested.md', import.meta.url), 'utf8');

    expect(TABLE.exec(page)?.[0]).toBe(compatibilityTable([...cases, ...onnxCases()]));
  });
});
