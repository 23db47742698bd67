// The docs keep their word: links lead somewhere, commands exist or are run, and every setting, condition and reason that is named is a real one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARTIFACT_REASONS, STORE_REASONS } from '../inference/contract.ts';
import { SERVER_METADATA } from '../inference/routes/infer.ts';
import { CONDITION_TYPES, PHASES } from '../operator/domain/status.ts';
import { freePorts } from './cluster/ports.ts';

const root = join(import.meta.dirname, '..');
const files = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/*.md', { cwd: root })];
const text = (file: string) => readFileSync(join(root, file), 'utf8');
const all = files.map((file) => ({ file, content: text(file) }));
const shell = (content: string) =>
  [...content.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
const scripts = Object.keys((JSON.parse(text('package.json')) as { scripts: object }).scripts);

/** Commands of the docs that need a cluster, and the test that runs them. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm run demo': 'test/component/main-job.cluster.ts',
  'kubectl apply -k config/default': 'test/demo/stage.ts',
  'kubectl apply -f crds/examples/retail.yaml': 'test/demo/manifests.ts',
  'kubectl wait --for=condition=Ready mdep/retail -n ml': 'test/demo/kube.ts',
};
/** These two are what runs this test. */
const RUN_THIS = ['npm test', 'npm run test:unit'];
const ALONE = 'MODEL_PATH=test/fixtures/models/basket-blue/model.tar.gz npm run inference';
/** To the server of `ALONE`. */
const CURLS = shell(text('README.md')).filter((command) => command.startsWith('curl '));

it.each(all)('$file: links and paths lead to something', ({ file, content }) => {
  const links = [...content.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !target.startsWith('http'));
  const paths = [...content.matchAll(/`((?:config|crds|docs|inference|operator|router|test)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  );
  expect(links.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

it.each(all)('$file: every npm command is a script', ({ content }) => {
  const named = [...content.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
});

it('every command in a block is run by a test', () => {
  const commands = new Set(all.flatMap(({ content }) => shell(content)));
  const unknown = [...commands].filter(
    (command) =>
      !(command in RUN_ELSEWHERE) && !RUN_THIS.includes(command) && command !== ALONE && !CURLS.includes(command),
  );
  expect(unknown).toEqual([]);
  for (const file of Object.values(RUN_ELSEWHERE)) expect(existsSync(join(root, file)), file).toBe(true);
});

it('the model server runs alone by the command in the docs, and answers those that follow it', async () => {
  const [port = 0] = await freePorts(1);
  const child = spawn('sh', ['-c', ALONE], {
    cwd: root,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, PORT: String(port), GRPC_PORT: '0', ADMIN_PORT: '0', DRAIN_SECONDS: '0' },
  });
  try {
    const answer = await retry(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"basket_items":{}}',
      });
      if (response.status === 503) throw new Error('still loading');
      return response.json();
    });
    expect(answer).toMatchObject({ model_version: 'blue-1' });
    expect(CURLS.length).toBeGreaterThan(3);
    for (const curl of CURLS) expect(Object.keys(await answerOf(curl, port)).length, curl).toBeGreaterThan(0);
  } finally {
    process.kill(-Number(child.pid), 'SIGTERM');
    await once(child, 'exit');
  }
}, 30_000);

describe('docs/status.md', () => {
  const content = text('docs/status.md');

  it.each([...CONDITION_TYPES, ...PHASES, ...ARTIFACT_REASONS, ...STORE_REASONS])('explains %s', (word) => {
    expect(content).toContain(`\`${word}\``);
  });
});

it('the model server names the version of this package to clients of V2', () => {
  expect(SERVER_METADATA.version).toBe((JSON.parse(text('package.json')) as { version: string }).version);
});

describe('metrics', () => {
  const sources = globSync('{operator,inference,router}/**/*.ts', { cwd: root }).filter(
    (file) => !file.includes('.test.'),
  );
  const code = sources.map(text).join('\n');
  const named =
    /\b(?:switchyard|model|request|rest_server|http_server)_[a-z0-9_]*(?:total|seconds|psi|info|ready|success|failure|leading|keys|outdated|generation|buckets|servers|connections|progress|rows|features)\b/g;

  it.each(['README.md', 'docs/monitoring.md'])('%s names real ones', (file) => {
    const names = [...new Set(text(file).match(named))];
    const exists = (name: string) =>
      code.includes(`'${name}'`) || code.includes(`'${name.replace('switchyard_router_', '')}'`);

    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !exists(name) && !name.endsWith('_pass_seconds'))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  const content = text('docs/configuration.md');
  const variables = (file: string, pattern: RegExp) => [...text(file).matchAll(pattern)].map(([, name = '']) => name);
  const operators = variables('operator/config.ts', /^ {2}([A-Z_]{4,}): \[/gm);
  const servers = variables(
    'inference/config.ts',
    /^ {2}([A-Z_]{4,}\d?): (?:text|number|whole|flag|level|endpoint|baseUrl|bearer|token)/gm,
  );
  const copies = variables('inference/monitoring/settings.ts', /^ {2}([A-Z_]{4,}): (?:text|number|flag|sink|names)/gm);
  const adapters = variables('inference/adapter/settings.ts', /^ {2}(ADAPTER[A-Z_]*): /gm);
  const INTERNAL = ['DESIRED_ARTIFACT_FILE', 'ARTIFACT_DIR'];

  it('finds the variables in the source', () => {
    expect(operators.length).toBeGreaterThan(8);
    expect(servers.length).toBeGreaterThan(15);
    expect(copies.length).toBeGreaterThan(4);
    expect(adapters.length).toBeGreaterThan(8);
  });

  const named = [...operators, ...servers, ...copies, ...adapters].filter((name) => !INTERNAL.includes(name));
  it.each(named)('names %s', (name) => {
    expect(content).toContain(`\`${name}\``);
  });
});

/** What curl would be answered: not every machine has it. */
async function answerOf(curl: string, port: number): Promise<object> {
  const words = [...curl.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
  const [, , address = '', ...options] = words;
  const [header, body] = ['-H', '-d'].map((flag) =>
    options.includes(flag) ? options[options.indexOf(flag) + 1] : undefined,
  );
  const response = await fetch(`http://${address.replace('localhost:8080', `127.0.0.1:${port}`)}`, {
    ...(body !== undefined && { method: 'POST', body }),
    headers: new Headers(header === undefined ? [] : [header.split(': ') as [string, string]]),
  });
  expect(response.status, curl).toBe(200);
  return (await response.json()) as object;
}

async function retry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
}
