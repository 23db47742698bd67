import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { archived, goldenOf } from '../../test/support/model-fixtures.ts';

const iris = goldenOf('iris-sk132');
const rows = iris.inputs.slice(0, 20).map((row) => row.map(Number));
const NAMES = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'];
const REFERENCE = {
  features: { 'petal width (cm)': { edges: [0.5, 1, 2], counts: [30, 70] } },
  prediction: { categories: [0, 1, 2], counts: [40, 30, 30] },
};

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-monitoring-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** The iris forest with this reference in its metadata. */
async function irisWith(name: string, reference: unknown): Promise<string> {
  const path = join(dir, `${name}.tar.gz`);
  const metadata = JSON.stringify({ name, version: name, features: NAMES, reference });
  const archive = await anArchive([
    ['model.joblib', archived('iris-sk132', 'model.joblib')],
    ['metadata.json', metadata],
  ]);
  await writeFile(path, archive);
  return path;
}

/** Value of the series that begins like this; undefined when there is none. */
async function series(server: Rig, start: string): Promise<number | undefined> {
  const { text } = await server.get('/metrics');
  const line = text.split('\n').find((each) => each.startsWith(start));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}

describe('/metrics of a model with a reference', () => {
  let server: Rig;
  const infer = (outputs: readonly string[]) =>
    server.post('/v2/models/iris/infer', {
      inputs: [{ name: 'x', shape: [20, 4], datatype: 'FP64', data: rows }],
      outputs: outputs.map((name) => ({ name })),
    });

  beforeAll(async () => {
    const MODEL_PATH = await irisWith('v1', REFERENCE);
    server = await startInference({
      MODEL_PATH,
      MODEL_DEPLOYMENT: 'iris',
      DRIFT_MIN_ROWS: '20',
      ALLOW_PUBLIC_RELOAD: '1',
    });
  });
  afterAll(() => server.stop());

  it.each([
    'model_info{version="v1",sha256="',
    'model_ready 1',
    'model_reload_total{result="loaded"} 1',
    'model_reload_duration_seconds_bucket{le="0.01",result="loaded"} ',
    'model_infer_request_success{model_name="iris"} 0',
    'model_infer_request_failure{model_name="iris"} 0',
    'request_preprocess_seconds_bucket{le="0.00005",model_name="iris"} 0',
    'request_predict_seconds_count{model_name="iris"} 0',
    'request_postprocess_seconds_sum{model_name="iris"} 0',
    'rest_server_requests_in_progress 1',
    'http_server_open_connections ',
    'nodejs_eventloop_lag_p99_seconds ',
    'model_drift_window_rows 0',
    'model_drift_features{state="watched"} 1',
    'model_feature_out_of_range_total{feature="petal width (cm)",side="below"} 0',
  ])('has %s', async (start) => {
    expect(await series(server, start)).not.toBeUndefined();
  });

  it('counts each row of a request once, whatever is asked of it', async () => {
    const labels = iris.predict.slice(0, 20).map(String);

    await infer(['predict', 'predict_proba']);
    await server.post('/v1/models/iris:predict', { instances: rows });

    expect(await series(server, 'model_drift_window_rows')).toBe(40);
    const zeros = labels.filter((label) => label === '0').length;
    expect(await series(server, 'model_predictions_total{model_name="iris",class="0"}')).toBe(2 * zeros);
    const below = rows.filter((row) => (row[3] ?? 0) < 0.5).length;
    expect(await series(server, 'model_feature_out_of_range_total{feature="petal width (cm)",side="below"}')).toBe(
      2 * below,
    );
  });

  it('tells the drift of features and predictions, and that of another reference anew', async () => {
    await infer(['predict']);
    const told = [
      await series(server, 'model_feature_drift_psi{feature="petal width (cm)"}'),
      await series(server, 'model_prediction_drift_psi{model_name="iris"}'),
    ];
    await copyFile(
      await irisWith('v2', { features: { 'petal length (cm)': REFERENCE.features['petal width (cm)'] } }),
      join(dir, 'v1.tar.gz'),
    );
    await server.post('/model/reload', {});
    await expect.poll(() => series(server, 'model_info{version="v2"')).toBe(1);

    expect(told).toEqual([expect.any(Number), expect.any(Number)]);
    expect(await series(server, 'model_feature_drift_psi')).toBeUndefined();
    expect(await series(server, 'model_prediction_drift_psi{')).toBeUndefined();
    expect(await series(server, 'model_drift_window_rows')).toBe(0);
  });
});

it('refuses a model whose reference names a feature that it does not have', async () => {
  const MODEL_PATH = await irisWith('odd', { features: { colour: { categories: [1], counts: [1] } } });

  const server = await startInference({ MODEL_PATH }, { waitForLoad: true });

  expect((await server.admin('GET', '/model/info')).json).toMatchObject({
    failure: {
      reason: 'ArtifactInvalid',
      message: 'metadata.json is not usable: reference.features.colour: the model has no such feature',
    },
  });
  await server.stop();
});

it('has no drift with a window of 0', async () => {
  const server = await startInference({ MODEL_PATH: await irisWith('off', REFERENCE), DRIFT_WINDOW_SECONDS: '0' });

  const { text } = await server.get('/metrics');

  expect(text).toContain('model_predictions_total');
  expect(text).not.toMatch(/drift|out_of_range/);
  await server.stop();
});
