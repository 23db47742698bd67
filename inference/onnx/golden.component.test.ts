// Every ONNX file that is claimed gives the answers of the library, or the arithmetic, that it was made from.
import { afterAll, describe, expect, it } from 'vitest';
import {
  type GoldenCase,
  expectedOf,
  onnxCases,
  rowsOfCase,
  toleranceOf,
} from '../../test/support/estimator-fixtures.ts';
import { type Model, OUTPUTS, outputsOf } from '../model/model.ts';
import { readOnnx } from './file.ts';
import { onnxModel } from './model.ts';
import { OnnxSessions } from './sessions.ts';

const sessions = new OnnxSessions();
afterAll(() => sessions.close());

async function opened({ bytes, classes }: GoldenCase): Promise<Model> {
  const file = readOnnx(bytes);
  const session = await sessions.open(file, new AbortController().signal);
  return onnxModel(file.signature, session, { named: classes, bytes: bytes.length });
}

async function wrongAnswers(golden: GoldenCase, model: Model): Promise<string[]> {
  const rows = rowsOfCase(golden, model);
  const wrong: string[] = [];
  for (const output of outputsOf(model)) {
    const found = (await model.remote?.run(output, rows, golden.inputs.length)) ?? new Float64Array();
    const expected = expectedOf(golden, output) ?? [];
    const allowed = toleranceOf(golden, output) * Math.max(...expected.map(Math.abs));
    const off = expected.filter((value, at) => !(Math.abs(value - (found[at] ?? NaN)) <= allowed));
    if (off.length > 0 || found.length !== expected.length)
      wrong.push(`${output}: ${found.join()} not ${expected.join()}`);
  }
  return wrong;
}

describe.each(onnxCases())('$name', (golden) => {
  it('answers as its original does', async () => {
    const model = await opened(golden);

    expect(await wrongAnswers(golden, model)).toEqual([]);
  });

  it('has the labels and the methods of the original', async () => {
    const model = await opened(golden);

    expect(model.modelType).toBe(golden.class);
    expect(model.features).toBe(golden.inputs[0]?.length);
    expect(model.classes).toEqual(golden.classes);
    expect(outputsOf(model)).toEqual(OUTPUTS.filter((output) => golden[output] !== undefined));
  });
});
