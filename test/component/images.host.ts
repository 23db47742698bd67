// The images as Docker runs them, without a cluster: locked down as far as Docker can, healthy by their own check, ended by SIGTERM.
import { join } from 'node:path';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { projectRoot } from '../cluster/config.ts';
import { docker, startDocker } from '../cluster/docker.ts';
import { compressedBytes } from '../cluster/image-size.ts';
import { buildOnnxImage } from '../cluster/images.ts';
import { goldenCase } from '../support/estimator-fixtures.ts';
import { tierImages } from '../support/tier.ts';

const NODE = '/usr/local/bin/node';
const MODEL = join(projectRoot, 'test/fixtures/models/basket-blue/model.tar.gz');
/** Where the image with ONNX has to be built first. */
const BUILD_MS = 10 * 60_000;
const ONNX_CASE = 'onnx-RandomForestClassifier/1.18.0';
const ONNX_MODEL = join(projectRoot, `test/fixtures/estimators/${ONNX_CASE}.onnx`);

const LABEL = 'org.opencontainers.image';
const Labels = z.object({
  [`${LABEL}.licenses`]: z.literal('Apache-2.0'),
  [`${LABEL}.version`]: z.string().regex(/^\d+\.\d+\.\d+$/),
  [`${LABEL}.revision`]: z.string().regex(/^[0-9a-f]{40}$/),
  [`${LABEL}.ref.name`]: z.string().min(1),
  [`${LABEL}.created`]: z.iso.datetime(),
});
const Image = z.object({
  Size: z.number(),
  Config: z.object({ User: z.string(), Labels, Env: z.array(z.string()) }),
});
const Container = z.object({ State: z.object({ ExitCode: z.int(), OOMKilled: z.boolean() }) });

/** Read-only root, no capability, no new privileges: what the restricted Pod Security Standard asks for, and more. */
class LockedDown extends GenericContainer {
  #lines: string[] = [];

  constructor(image: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges')
      .withTmpFs({ '/tmp': 'rw,noexec,nosuid,size=64m' })
      .withAutoRemove(false)
      .withLogConsumer((stream) => stream.on('data', (data) => this.#lines.push(String(data))))
      .withWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(60_000);
  }

  /** What the program has logged so far. */
  output(): string {
    return this.#lines.join('');
  }
}

/** The one object of `docker inspect`. */
async function inspect<T>(schema: z.ZodType<T>, name: string): Promise<T> {
  const [object]: unknown[] = z
    .array(z.unknown())
    .length(1)
    .parse(JSON.parse(await docker(['inspect', name])));
  return schema.parse(object);
}

/** Runs JavaScript in the container, by its own node; resolves with what it printed. */
async function evaluate(container: StartedTestContainer, script: string): Promise<string> {
  const { output, exitCode } = await container.exec([NODE, '-e', script]);
  expect(exitCode, output).toBe(0);
  return output.trim();
}

/** Every file that may be executed, the kernel's own file systems excepted. */
const LIST_PROGRAMS = `
const { readdirSync, statSync } = require('node:fs');
const walk = (dir) => readdirSync(dir + '/', { withFileTypes: true }).flatMap((entry) => {
  const path = dir + '/' + entry.name;
  if (['/proc', '/sys', '/dev', '/.dockerenv'].includes(path)) return [];
  if (entry.isDirectory()) return walk(path);
  return entry.isFile() && (statSync(path).mode & 0o111) !== 0 ? [path] : [];
});
console.log(JSON.stringify(walk('')));
`;

interface Program {
  readonly name: string;
  /** Where it lies in the image. */
  readonly folder: 'operator' | 'inference';
  readonly image: () => Promise<string> | string;
  /** In MB, at most: compressed, and unpacked. */
  readonly limits: { readonly compressed: number; readonly unpacked: number };
  readonly prepare: (container: LockedDown) => GenericContainer;
}

const serving = (container: LockedDown, source: string, target: string) =>
  container
    .withExposedPorts(8080)
    .withBindMounts([{ source, target, mode: 'ro' }])
    .withEnvironment({ DRAIN_SECONDS: '2' });

const ONNX = 'inference with ONNX';
const PROGRAMS: readonly Program[] = [
  {
    name: 'operator',
    folder: 'operator',
    image: () => tierImages().operator,
    limits: { compressed: 60, unpacked: 150 },
    // There is no API server: alive, although it will never be ready.
    prepare: (container) => container,
  },
  {
    name: 'inference',
    folder: 'inference',
    image: () => tierImages().inference,
    limits: { compressed: 60, unpacked: 150 },
    prepare: (container) => serving(container, MODEL, '/app/model/model.tar.gz'),
  },
  {
    name: ONNX,
    folder: 'inference',
    image: () => buildOnnxImage(() => undefined),
    limits: { compressed: 85, unpacked: 200 },
    prepare: (container) =>
      serving(container, ONNX_MODEL, '/models/model.onnx').withEnvironment({ MODEL_PATH: '/models/model.onnx' }),
  },
];

interface Running {
  readonly image: string;
  readonly definition: LockedDown;
  readonly container: StartedTestContainer;
}
const running = new Map<string, Running>();
let sizes: ReadonlyMap<string, number>;

// Together: each waits for the first check of its health.
beforeAll(async () => {
  await startDocker(() => undefined);
  const images = await Promise.all(PROGRAMS.map(async ({ image }) => image()));
  const start = async ({ name, prepare }: Program, image: string) => {
    const definition = new LockedDown(image);
    running.set(name, { image, definition, container: await prepare(definition).start() });
  };
  const started = PROGRAMS.map(async (program, at) => start(program, images[at] ?? ''));
  // Level 1 gives a tenth more than a registry stores, in half the time.
  [sizes] = await Promise.all([compressedBytes(images, 1), ...started]);
}, BUILD_MS);

afterAll(async () => {
  const ids = [...running.values()].map(({ container }) => container.getId());
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids]);
});

function runningOf(name: string): Running {
  const found = running.get(name);
  if (found === undefined) throw new Error(`no container of ${name}`);
  return found;
}

describe.each(PROGRAMS)('the image of $name', ({ name, limits }) => {
  it('is small, names no secret, says what it was made of, and wants no root', async () => {
    const { image } = runningOf(name);
    const { Size, Config } = await inspect(Image, image);

    expect(Size / 1e6).toBeLessThan(limits.unpacked);
    expect((sizes.get(image) ?? NaN) / 1e6).toBeLessThanOrEqual(limits.compressed);
    expect(Config.Env.join()).not.toMatch(/SECRET|TOKEN|PASSWORD/i);
    expect(Config.User).toBe('65532:65532');
  });
});

it('a container with ONNX answers as the library does', async () => {
  const { inputs, predict: predictions } = goldenCase(ONNX_CASE);

  const answer = await post(runningOf(ONNX).container, '/v1/models/model:predict', { instances: inputs });

  await expect(answer.json()).resolves.toEqual({ predictions });
});

describe.each(PROGRAMS)('a container of $name', ({ name, folder }) => {
  it('became healthy with a read-only root, and can write to /tmp', async () => {
    const { container } = runningOf(name);
    const write = "try { require('node:fs').writeFileSync('/app/x', '') } catch (error) { console.log(error.code) }";

    await expect(evaluate(container, write)).resolves.toBe('EROFS');
    await evaluate(container, "require('node:fs').writeFileSync('/tmp/x', '')");
  });

  it('has no shell and no program but node', async () => {
    const { container } = runningOf(name);
    const { exitCode } = await container.exec(['/bin/sh', '-c', 'true']);
    const programs = z.array(z.string()).parse(JSON.parse(await evaluate(container, LIST_PROGRAMS)));

    expect([126, 127]).toContain(exitCode);
    expect(programs.filter((path) => !/\.(so(\.\d+)*|node)$/.test(path))).toEqual([NODE]);
  });

  it('resolves names, has the usual certificate authorities, and the licences of what is in it', async () => {
    const { container } = runningOf(name);
    const lookup = "require('node:dns').lookup('localhost', (error, address) => console.log(error ?? address))";
    const authorities = await evaluate(container, print('/etc/ssl/certs/ca-certificates.crt'));

    expect(authorities.split('BEGIN CERTIFICATE').length).toBeGreaterThan(50);
    await expect(evaluate(container, lookup)).resolves.toMatch(/^(127\.0\.0\.1|::1)$/);
    await expect(evaluate(container, print(`/app/${folder}/THIRD-PARTY-NOTICES.txt`))).resolves.toContain('\nzod 4');
  });

  it('ends by SIGTERM with code 0, and answers what still arrives', async () => {
    const { container, definition } = runningOf(name);
    const stopped = container.stop({ timeout: 20_000, remove: false });
    await vi.waitFor(() => expect(definition.output()).toContain('SIGTERM'), { timeout: 10_000 });
    if (folder === 'inference') await expect(predict(container)).resolves.toBe(200);
    await stopped;

    expect((await inspect(Container, container.getId())).State).toEqual({ ExitCode: 0, OOMKilled: false });
    await vi.waitFor(() => expect(definition.output()).toContain('"stopped"'), { timeout: 10_000 });
  });
});

function print(path: string): string {
  return `process.stdout.write(require('node:fs').readFileSync('${path}', 'utf8'))`;
}

/** Status of a prediction asked for from outside. */
async function predict(container: StartedTestContainer): Promise<number> {
  return (await post(container, '/predict', { basket_items: { a: { quantity: 1, price: 2 } } })).status;
}

async function post(container: StartedTestContainer, path: string, body: object): Promise<Response> {
  return fetch(`http://${container.getHost()}:${container.getMappedPort(8080)}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
}
