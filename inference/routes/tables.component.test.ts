// A model of a table with numbers, texts and an id, as a retailer trains it: scaled, encoded and classified in one file, asked by name.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { goldenCase } from '../../test/support/estimator-fixtures.ts';

const FIXTURES = new URL('../../test/fixtures/estimators/', import.meta.url);
const golden = goldenCase('Pipeline+ColumnTransformer+LogisticRegression/1.9.1');
const NAMES = ['customer_id', 'age', 'city', 'plan', 'spend', 'visits', 'loyal'];

let server: Rig;

beforeAll(async () => {
  const path = new URL(`Pipeline+ColumnTransformer+LogisticRegression/${golden.file}`, FIXTURES).pathname;
  server = await startInference({ MODEL_PATH: path, MODEL_DEPLOYMENT: 'churn' });
});
afterAll(() => server.stop());

/** Rows of the fixture as objects, without the columns of these names. */
function named(...without: readonly string[]): Record<string, unknown>[] {
  return golden.inputs.map((row) =>
    Object.fromEntries(
      NAMES.flatMap((name, column) => (without.includes(name) ? [] : [[name, row[column] ?? null] as const])),
    ),
  );
}

async function predicted(instances: unknown) {
  const { status, json } = await server.post('/v1/models/churn:predict', { instances });
  return { status, json };
}

describe('V1 for a model of a table', () => {
  it("answers scikit-learn's labels to fields by name, with texts, unknown texts and missing values", async () => {
    expect(JSON.stringify(golden.inputs)).toMatch(/Atlantis.*null/);
    expect(await predicted(named())).toEqual({ status: 200, json: { predictions: golden.predict } });
  });

  it('answers rows in the order of the columns alike', async () => {
    expect(await predicted(golden.inputs)).toEqual({ status: 200, json: { predictions: golden.predict } });
  });

  it('needs no column that the model drops', async () => {
    expect(await predicted(named('customer_id'))).toEqual({ status: 200, json: { predictions: golden.predict } });
  });

  it.each([
    ['a number for a text', { city: 5 }],
    ['a text for a number', { age: 'old' }],
    ['a list', { plan: [] }],
  ])('refuses %s, and says what goes where', async (_, wrong) => {
    const [row] = named();

    expect(await predicted([{ ...row, ...wrong }])).toMatchObject({
      status: 400,
      json: {
        error: expect.stringMatching(/instance 0 must be .*\(text in column city, plan, loyal\).*visits/) as string,
      },
    });
  });

  it('refuses a row that lacks a column which the model reads', async () => {
    expect(await predicted(named('loyal'))).toMatchObject({ status: 400 });
  });
});

describe('V2 for a model of a table', () => {
  const column = (name: string) => golden.inputs.map((row) => row[NAMES.indexOf(name)] ?? null);
  const tensor = (name: string, datatype: string) => ({
    name,
    datatype,
    shape: [golden.inputs.length],
    data: column(name),
  });
  const read = [
    ...['age', 'spend', 'visits'].map((name) => tensor(name, 'FP64')),
    ...['city', 'plan', 'loyal'].map((name) => tensor(name, 'BYTES')),
  ];

  it('lists the columns that it reads, with their types', async () => {
    const { json } = await server.get('/v2/models/churn');
    const { inputs } = json as { inputs: { name: string; datatype: string }[] };

    expect(inputs.map(({ name, datatype }) => `${name} ${datatype}`)).toEqual([
      'age FP64',
      'city BYTES',
      'plan BYTES',
      'spend FP64',
      'visits FP64',
      'loyal BYTES',
    ]);
  });

  it('answers labels to a tensor for each of them, with or without the id', async () => {
    const answers = await Promise.all(
      [read, [...read, tensor('customer_id', 'BYTES')]].map((inputs) =>
        server.post('/v2/models/churn/infer', { inputs, outputs: [{ name: 'predict' }] }),
      ),
    );

    for (const { status, json } of answers) {
      expect({ status, json }).toMatchObject({
        status: 200,
        json: { outputs: [{ name: 'predict', data: golden.predict }] },
      });
    }
  });
});
