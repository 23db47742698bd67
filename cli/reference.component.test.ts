import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anArchive } from '../test/support/an-archive.ts';
import { startInference } from '../test/support/inference-rig.ts';
import { archived, goldenOf } from '../test/support/model-fixtures.ts';

const PROGRAM = new URL('reference.ts', import.meta.url).pathname;
const TRAIN = new URL('../test/fixtures/tables/train.csv', import.meta.url).pathname;

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-reference-'));
});
afterAll(() => rm(dir, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function reference(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function metadataFile(content: string): Promise<string> {
  const path = join(dir, 'metadata.json');
  await writeFile(path, content);
  return path;
}

it('shows how it is used', async () => {
  const { code, stdout } = await reference('--help');

  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('--metadata FILE') as string });
});

it.each([
  [[], 2, /Which training data\?[^]*Usage\n {2}npm run reference/],
  [['a.csv', 'b.csv', '--features', 'x'], 2, /"b.csv" is one more/],
  [[TRAIN], 2, /Which columns\? Name them with --features/],
  [[TRAIN, '--features', 'a,,b'], 2, /"" as a name/],
  [[TRAIN, '--features', 'many', '--bins', '1'], 2, /--bins is 2 to 100/],
  [[TRAIN, '--features', 'many', '--label', 'many'], 2, /among the features/],
  [[TRAIN, '--feature', 'many'], 2, /Unknown option '--feature'/],
  [[TRAIN, '--features', 'none'], 1, /^there is no column "none"/],
  [[TRAIN, '--metadata', '/none/metadata.json'], 1, /^\/none\/metadata.json cannot be read/],
])('%j ends with %i in one line', async (args, code, message) => {
  const ended = await reference(...args);

  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).not.toMatch(/^ +at /m);
});

it('refuses more features than a server takes', async () => {
  const names = Array.from({ length: 2001 }, (_, at) => `f${at}`).join();

  expect(await reference(TRAIN, '--features', names)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^A reference has at most 2000 features, not 2001/) as string,
  });
});

it('leaves metadata.json as it is when it is no JSON', async () => {
  const path = await metadataFile('{"metrics": {"auc": NaN}}');

  expect(await reference(TRAIN, '--features', 'many', '--metadata', path)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('NaN is no JSON: write null') as string,
  });
  expect(await readFile(path, 'utf8')).toBe('{"metrics": {"auc": NaN}}');
  expect(await readdir(dir)).toEqual(['metadata.json']);
});

it('writes a reference that the server takes, and of which the training rows are no drift', async () => {
  const iris = goldenOf('iris-sk132');
  const rows = iris.inputs.map((row) => row.map(Number));
  const names = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'];
  const train = join(dir, 'iris.csv');
  const lines = rows.map((row, at) => [...row, iris.predict[at]].join(','));
  await writeFile(train, [[...names, 'species'].join(','), ...lines].join('\n'));
  const path = await metadataFile(JSON.stringify({ name: 'iris', version: '7', features: names, extra: [1] }));

  const ended = await reference(train, '--label', 'species', '--metadata', path);
  const metadata = await readFile(path, 'utf8');
  const MODEL_PATH = join(dir, 'model.tar.gz');
  const model = archived('iris-sk132', 'model.joblib');
  await writeFile(
    MODEL_PATH,
    await anArchive([
      ['model.joblib', model],
      ['metadata.json', metadata],
    ]),
  );
  const server = await startInference({ MODEL_PATH, MODEL_DEPLOYMENT: 'iris', DRIFT_MIN_ROWS: '1' });
  await server.post('/v1/models/iris:predict', { instances: rows });
  const { text } = await server.get('/metrics');
  await server.stop();

  expect(ended).toMatchObject({
    code: 0,
    stdout: `${path}: reference of 4 features and the prediction, from ${rows.length} rows\n`,
  });
  expect(JSON.parse(metadata)).toMatchObject({ name: 'iris', version: '7', extra: [1] });
  const told = [...text.matchAll(/^model_(?:feature|prediction)_drift_psi\{.*\} (.*)$/gm)].map(([, psi]) =>
    Number(psi),
  );
  expect(told).toEqual([0, 0, 0, 0, 0]);
  expect(text).not.toMatch(/^model_feature_out_of_range_total\{.*\} [1-9]/m);
});
