// The images that the Dockerfiles start from. Where a registry answers they are pulled; elsewhere stand-ins of the same names are made from Debian's
// packages and the project's own Node, so that no Dockerfile and no manifest knows the difference.
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapDebian } from './bootstrap.ts';
import { run, tryRun } from './command.ts';
import { cacheDir, machineLocksDir, projectRoot } from './config.ts';
import { docker, dockerEnv } from './docker.ts';
import { withLock } from './lock.ts';
import { aptSettings, npmFolder, npmSettings, HOST_CERTIFICATES } from './surroundings.ts';
import { asStep, type OnProgress } from '../progress.ts';

export const DEBIAN_IMAGE = 'debian:bookworm-slim';
export const NODE_IMAGE = 'node:24-bookworm-slim';
export const HAPROXY_IMAGE = 'haproxy:3.2';
/** In the order in which they are made: the later ones stand on the first. */
const IMAGES = [DEBIAN_IMAGE, NODE_IMAGE, HAPROXY_IMAGE] as const;
type BaseImage = (typeof IMAGES)[number];

const LABEL = 'switchyard.dev/stand-in';
const PULL_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 300_000;

/** Makes sure that dockerd has all of them. */
export async function ensureBaseImages(onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
  await withLock(
    join(machineLocksDir, 'base-images'),
    { what: 'makes the base images', onProgress, signal },
    async () => {
      const recipe = await hashRecipe();
      let registryAnswers = true;
      for (const image of IMAGES) {
        if (await isPresent(image, recipe)) continue;
        registryAnswers &&= await pull(image, onProgress, signal);
        if (!registryAnswers) await makeStandIn(image, recipe, onProgress, signal);
      }
    },
  );
}

/** A pulled image is there for good; a stand-in as long as it is made in the way that we make it now. */
async function isPresent(image: BaseImage, recipe: string): Promise<boolean> {
  const format = `{{index .Config.Labels "${LABEL}"}}`;
  const label = await docker(['image', 'inspect', '--format', format, image]).catch(() => undefined);
  return label !== undefined && ['', '<no value>', recipe].includes(label.trim());
}

async function pull(image: BaseImage, onProgress: OnProgress, signal: AbortSignal | undefined): Promise<boolean> {
  const step = { step: `Pulling ${image}`, detail: 'a stand-in is made where no registry answers' };
  return asStep(onProgress, step, async () =>
    tryRun('docker', ['pull', '--quiet', image], { env: dockerEnv, timeoutMs: PULL_TIMEOUT_MS, signal }),
  );
}

async function makeStandIn(
  image: BaseImage,
  recipe: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const label = `LABEL ${LABEL}=${recipe}`;
  if (image === DEBIAN_IMAGE) {
    const tree = await debianTree(onProgress, signal);
    const changes = ['CMD ["bash"]', label].flatMap((change) => ['--change', change]);
    await docker(['import', ...changes, tree, image], { signal });
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-image-'));
  try {
    const dockerfile = image === NODE_IMAGE ? await nodeContext(dir) : await haproxyContext(dir);
    await writeFile(join(dir, 'Dockerfile'), `${dockerfile}${label}\n`);
    const step = { step: `Making a stand-in for ${image}`, expectedSeconds: 15 };
    const args = ['build', '--quiet', '--network=host', '--tag', image, dir];
    await asStep(onProgress, step, async () => docker(args, { timeoutMs: BUILD_TIMEOUT_MS, signal }));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The tree as a tar file in the cache: it takes longest to make, and outlives dockerd's data. */
async function debianTree(onProgress: OnProgress, signal: AbortSignal | undefined): Promise<string> {
  const path = join(cacheDir, `base/debian-bookworm-${process.arch}.tar`);
  const exists = await readFile(`${path}.complete`).catch(() => undefined);
  if (exists !== undefined) return path;
  await mkdir(join(cacheDir, 'base'), { recursive: true });
  const step = { step: `Making a stand-in for ${DEBIAN_IMAGE} (debootstrap)`, expectedSeconds: 30 };
  await asStep(onProgress, step, async () => bootstrapDebian(`${path}.new`, signal));
  await rename(`${path}.new`, path);
  await writeFile(`${path}.complete`, '');
  return path;
}

/** Laid out as the official image: node and npm below /usr/local, a user `node`. */
async function nodeContext(dir: string): Promise<string> {
  const node = join(projectRoot, 'node_modules/node/bin/node');
  await cp(node, join(dir, 'node'), { dereference: true });
  await cp(await npmFolder(), join(dir, 'npm'), { recursive: true, dereference: true });
  await cp(HOST_CERTIFICATES, join(dir, 'ca-certificates.crt'), { dereference: true });
  await writeFile(join(dir, 'npmrc'), await npmSettings());
  const version = (await run(node, ['--version'])).trim().slice(1);
  return `FROM ${DEBIAN_IMAGE}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY npmrc /usr/local/etc/npmrc
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
ENV NODE_VERSION=${version} NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
`;
}

/** As the official image: user 99, the stop signal that lets requests finish, and an entry point that keeps HAProxy in the foreground. */
async function haproxyContext(dir: string): Promise<string> {
  await writeFile(join(dir, 'apt.conf'), await aptSettings());
  await cp(HOST_CERTIFICATES, join(dir, 'ca-certificates.crt'), { dereference: true });
  await writeFile(join(dir, 'docker-entrypoint.sh'), HAPROXY_ENTRYPOINT, { mode: 0o755 });
  return `FROM ${DEBIAN_IMAGE}
COPY apt.conf /etc/apt/apt.conf.d/90host
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN apt-get update --quiet \\
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends haproxy \\
 && apt-get clean \\
 && rm -rf /var/lib/apt/lists/* /etc/apt/apt.conf.d/90host /etc/ssl/certs/ca-certificates.crt \\
 && groupmod --gid 99 haproxy && usermod --uid 99 haproxy \\
 && mkdir -p /var/lib/haproxy /usr/local/etc/haproxy \\
 && chown -R haproxy:haproxy /var/lib/haproxy \\
 && ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy
WORKDIR /var/lib/haproxy
USER haproxy
STOPSIGNAL SIGUSR1
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
`;
}

const HAPROXY_ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then shift; set -- haproxy -W -db "$@"; fi
exec "$@"
`;

/** Changes when the way of making them changes, or the project's Node does. */
async function hashRecipe(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(import.meta.filename));
  hash.update(await readFile(join(projectRoot, 'node_modules/node/package.json')));
  hash.update(await npmSettings());
  return hash.digest('hex').slice(0, 12);
}
