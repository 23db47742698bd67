import { describe, expect, it } from 'vitest';
import {
  FLOAT,
  INT64,
  type Parts,
  TEXT,
  aSum,
  anOnnxFile,
  field,
  sequenceInfo,
  tensorInfo,
} from '../../test/support/an-onnx-file.ts';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { gaveOnnxModel, mutated } from '../../test/support/damage.ts';
import { onnxCases } from '../../test/support/estimator-fixtures.ts';
import { readOnnx } from './file.ts';

const X = tensorInfo('x', FLOAT, [null, 4]);
const Y = tensorInfo('y', FLOAT, [null, 1]);
const external = Buffer.concat([field(8, 'w'), field(13, field(1, 'location')), field(14, 1)]);

const signatureOf = (parts: Partial<Parts>) => readOnnx(anOnnxFile({ inputs: [X], outputs: [Y], ...parts })).signature;

describe('an ONNX file', () => {
  it('takes a table, or one input for each column', () => {
    const columns = ['a', 'b'].map((name) => tensorInfo(name, INT64, [null, 1]));

    expect(signatureOf({})).toMatchObject({ features: 4, oneRow: false, numbers: 'y' });
    expect(signatureOf({ inputs: columns })).toMatchObject({
      features: 2,
      inputs: [
        { name: 'a', type: 'int64' },
        { name: 'b', type: 'int64' },
      ],
    });
  });

  it('may take one row at a time', () => {
    expect(signatureOf({ inputs: [tensorInfo('x', FLOAT, [1, 4])] }).oneRow).toBe(true);
  });

  it('does not count its weights among its inputs', () => {
    const w = tensorInfo('w', FLOAT, [4, 1]);

    expect(signatureOf({ inputs: [X, w], weights: [field(8, 'w')] }).features).toBe(4);
  });

  it.each<[string, Partial<Parts>, string]>([
    [
      'of ZipMap',
      { outputs: [tensorInfo('label', INT64, [null]), sequenceInfo('p')] },
      '"p" is a sequence or map: convert with skl2onnx and options={\'zipmap\': False}',
    ],
    [
      'that takes text',
      { inputs: [tensorInfo('city', TEXT, [null, 1])] },
      '"city" takes text: encode texts before the model',
    ],
    ['of a free width', { inputs: [tensorInfo('x', FLOAT, [null, null])] }, '"x" does not say how many features'],
    ['for images', { inputs: [tensorInfo('x', FLOAT, [null, 3, 8, 8])] }, '"x" must have the shape [rows, features]'],
    ['of a fixed number of rows', { inputs: [tensorInfo('x', FLOAT, [32, 4])] }, '"x" takes exactly 32 rows'],
    [
      'with a table beside others',
      { inputs: [X, tensorInfo('z', FLOAT, [null, 1])] },
      '"x" has 4 columns beside other inputs',
    ],
    ['with two outputs of numbers', { outputs: [Y, tensorInfo('z', FLOAT, [null, 1])] }, 'its outputs are "y", "z"'],
    ['without inputs', { inputs: [] }, 'it has no input'],
    ['with weights elsewhere', { weights: [external] }, 'keeps weights in another file'],
  ])('%s is refused by name', (_, parts, message) => {
    expect(() => signatureOf(parts)).toThrow(message);
  });

  it('that is cut off anywhere within its graph is refused', () => {
    const file = aSum(4, 1);
    const afterGraph = 6; // bytes that name the operator set: without them the runtime refuses the file

    for (let length = 0; length < file.length - afterGraph; length += 1) {
      try {
        readOnnx(file.subarray(0, length));
        expect.unreachable(`${length} bytes are no model`);
      } catch (error) {
        expect(error).toHaveProperty('name', 'ModelError');
      }
    }
  });

  it.each(onnxCases().filter(({ name }) => /Random|MLP|Logistic/.test(name)))(
    'names the classes of $name',
    ({ bytes, classes, name }) => {
      const isRegressor = name.includes('Regressor');

      expect(readOnnx(bytes).signature.classes).toEqual(isRegressor ? [] : classes);
    },
  );
});

describe('a damaged ONNX file', () => {
  it.each(onnxCases())('$name is refused, or can be asked', (golden) => {
    const random = seededRandom(7);
    const read = Array.from({ length: 200 }, () => gaveOnnxModel(mutated(golden.bytes, random))).filter(Boolean);

    expect(gaveOnnxModel(golden.bytes)).toBe(true);
    // most bytes are weights, which only the runtime reads
    expect(read.length).toBeLessThan(200);
  });
});
