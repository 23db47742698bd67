// What others have written to ask model servers, asking ours: the answers that they make of it are the library's own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/inference-rig.ts';
import type { Rig } from '../support/inference-rig.ts';
import { goldenCase } from '../support/estimator-fixtures.ts';
import { goldenOf } from '../support/model-fixtures.ts';
import { ask, startServer } from './ask.ts';
import type { Findings, Question } from './ask.ts';
import { prepareClients } from './environments.ts';

// `npm test` has made them already.
beforeAll(() => prepareClients({ onProgress: () => undefined }));

interface Answers {
  readonly predict: readonly unknown[];
  readonly predict_proba: readonly number[];
}

/** Golden rows of every class, and the library's answers to them. */
function sample(fixture: string): { readonly rows: number[][] } & Answers {
  const { inputs, predict, predict_proba: proba } = goldenOf(fixture);
  const chosen = inputs.map((_, at) => at).filter((at) => at % 7 === 0);
  const at = <T>(list: readonly T[]) => chosen.flatMap((row) => list.slice(row, row + 1));
  return { rows: at(inputs).map((row) => row.map(Number)), predict: at(predict), predict_proba: at(proba).flat() };
}

async function featuresOf(server: Rig): Promise<string[]> {
  return ((await server.get('/model/info')).json as { features: string[] }).features;
}

/** What we say ourselves to rows of half precision. */
async function halfAnswers(server: Rig, { model, rows }: Question): Promise<Answers> {
  const data = rows.map((row) => row.map((value) => Math.f16round(Number(value))));
  const shape = [rows.length, data[0]?.length ?? 0];
  const outputs = [{ name: 'predict' }, { name: 'predict_proba' }];
  const body = { inputs: [{ name: 'x', datatype: 'FP64', shape, data }], outputs };
  const { json } = await server.post(`/v2/models/${model}/infer`, body);
  const [predict, proba] = (json as { outputs: { data: unknown[] }[] }).outputs;
  return { predict: predict?.data ?? [], predict_proba: (proba?.data ?? []) as number[] };
}

const found = (findings: Findings, protocol: string) => findings[protocol] ?? {};

/** A server with one of the fixtures, and what it ought to answer. */
interface Scene {
  readonly server: Rig;
  readonly question: Question;
  readonly golden: Answers;
  readonly half: Answers;
}

const FIXTURES = ['wine-strings', 'basket-blue'] as const;
const scenes = new Map<string, Scene>();

function sceneOf(fixture: string): Scene {
  const scene = scenes.get(fixture);
  if (scene === undefined) throw new Error(`${fixture} has not been started`);
  return scene;
}

beforeAll(async () => {
  for (const fixture of FIXTURES) {
    const { rows, ...golden } = sample(fixture);
    expect(new Set(golden.predict).size).toBeGreaterThan(1);
    const server = await startServer(fixturePath(fixture), 'the-model');
    const question = { model: 'the-model', features: await featuresOf(server), rows };
    scenes.set(fixture, { server, question, golden, half: await halfAnswers(server, question) });
  }
});
afterAll(async () => {
  for (const { server } of scenes.values()) await server.stop();
});

it.each(FIXTURES)('tritonclient understands a server with %s, over HTTP and gRPC', async (fixture) => {
  const { server, question, golden, half } = sceneOf(fixture);

  const findings = await ask('kserve', 'triton_client.py', server, question);

  for (const protocol of ['http', 'grpc']) {
    expect(found(findings, protocol)).toMatchObject({
      live: true,
      ready: true,
      model_ready: true,
      table: golden,
      single: golden,
      half,
      columns: golden,
      default: { predict: golden.predict },
      id: 'r-1',
      server_metadata: { name: 'switchyard' },
      model_metadata: { outputs: [{ name: 'predict' }, { name: 'predict_proba', datatype: 'FP64' }] },
      wrong_model: { status: expect.stringMatching(/^404$|NOT_FOUND/) as string },
      wrong_width: { status: expect.stringMatching(/^400$|INVALID_ARGUMENT/) as string },
    });
  }
  const http = found(findings, 'http');
  expect([http['json'], http['mixed'], http['other_ready']]).toEqual([golden, golden, false]);
  expect(http['async']).toEqual(Array.from({ length: 8 }, () => golden.predict));
});

it.each(FIXTURES)("KServe's clients understand a server with %s", async (fixture) => {
  const { server, question, golden, half } = sceneOf(fixture);

  const findings = await ask('kserve', 'kserve_client.py', server, question);

  for (const protocol of ['rest', 'grpc']) {
    expect(found(findings, protocol)).toMatchObject({
      live: true,
      ready: true,
      model_ready: true,
      json: golden,
      binary: golden,
      half,
      columns: golden,
      id: 'r-1',
      wrong_model: { message: expect.stringContaining('Model with name "other" does not exist') as string },
    });
  }
  const predictions = { predictions: golden.predict };
  expect(found(findings, 'rest')).toMatchObject({
    v1_model_ready: true,
    v1: predictions,
    v1_named: predictions,
    wrong_v1: { status: 400, message: expect.stringContaining('instance 0 must be a list of') as string },
  });
});

it.each(FIXTURES)("MLServer's types and codecs understand a server with %s", async (fixture) => {
  const { server, question, golden } = sceneOf(fixture);

  const findings = await ask('mlserver', 'mlserver_client.py', server, question);

  for (const protocol of ['rest', 'grpc']) {
    expect(found(findings, protocol)).toEqual({ numpy: golden, pandas: golden });
  }
  expect(findings['server_metadata']).toMatchObject({ name: 'switchyard' });
  expect(findings['model_metadata']).toEqual((await server.get(`/v2/models/${question.model}`)).json);
});

describe('a server with a model of a table', () => {
  const golden = goldenCase('Pipeline+ColumnTransformer+LogisticRegression/1.9.1');
  const features = ['customer_id', 'age', 'city', 'plan', 'spend', 'visits', 'loyal'];
  const texts = ['customer_id', 'city', 'plan', 'loyal'];
  // Not every client can send a missing text.
  const complete = golden.inputs.map((row, at) => (row.includes(null) ? -1 : at)).filter((at) => at !== -1);
  const rows = complete.map((at) => golden.inputs[at] ?? []);
  const predict = complete.map((at) => golden.predict[at]);
  let server: Rig;
  let question: Question;

  beforeAll(async () => {
    const folder = new URL('../fixtures/estimators/Pipeline+ColumnTransformer+LogisticRegression/', import.meta.url);
    server = await startServer(new URL(golden.file, folder).pathname, 'churn');
    question = { model: 'churn', features, texts, rows: rows.map((row) => [String(row[0]), ...row.slice(1)]) };
    expect(rows.length).toBeGreaterThan(5);
  });
  afterAll(() => server.stop());

  it('gets its columns, numbers and texts, from tritonclient', async () => {
    expect(await ask('kserve', 'triton_client.py', server, question)).toMatchObject({
      http: { columns: { predict } },
      grpc: { columns: { predict } },
    });
  });

  it("gets them from KServe's clients", async () => {
    expect(await ask('kserve', 'kserve_client.py', server, question)).toMatchObject({
      rest: { columns: { predict }, v1_named: { predictions: predict } },
      grpc: { columns: { predict } },
    });
  });

  it('gets them from a DataFrame of MLServer', async () => {
    expect(await ask('mlserver', 'mlserver_client.py', server, question)).toMatchObject({
      rest: { pandas: { predict } },
      grpc: { pandas: { predict } },
    });
  });
});
