// The container runtime: a containerd of our own, in a mount namespace of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tryRun } from './command.ts';
import { baseEnv, network, socketsDir } from './config.ts';
import { insideNamespace } from './network.ts';
import { findByArguments, startDaemon, waitFor, type DaemonRecord } from './process.ts';

export const PAUSE_IMAGE = 'localhost/pause:1';
const IMPORT_TIMEOUT_MS = 300_000;

export function containerdSocket(name: string): string {
  return join(socketsDir, name, 'containerd.sock');
}

/** Folders that containerd, runc, CNI and the kubelet take whatever their configuration says: over each lies a folder of the run directory. */
const HIDDEN = ['/run/containerd', '/run/runc', '/var/lib/cni', '/var/lib/kubelet', '/var/log/containers'];

export interface ContainerdOptions {
  readonly name: string;
  readonly runDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts containerd and waits for its socket. Its mounts are seen by nobody else and vanish with the last process of the namespace, so that even a
 * killed run leaves no mount on the host.
 */
export async function startContainerd({ name, runDir, signal }: ContainerdOptions): Promise<DaemonRecord> {
  const socket = containerdSocket(name);
  const config = join(runDir, 'containerd.toml');
  await mkdir(join(socketsDir, name), { recursive: true, mode: 0o700 });
  await mkdir(join(runDir, 'cni'), { recursive: true });
  await writeFile(config, renderConfig(runDir, socket));
  await writeFile(join(runDir, 'cni/10-bridge.conflist'), `${JSON.stringify(cniConfig(runDir), undefined, 2)}\n`);
  for (const dir of HIDDEN) {
    await mkdir(dir, { recursive: true });
    await mkdir(hiddenCopy(runDir, dir), { recursive: true });
  }
  const binds = HIDDEN.map((dir) => `mount --bind '${hiddenCopy(runDir, dir)}' ${dir}`);
  const script = [...binds, 'mount --make-rshared /', `exec containerd --config '${config}'`].join(' && ');
  const [command, args] = insideNamespace('unshare', ['--mount', 'sh', '-c', script]);
  const record = await startDaemon(runDir, { name: 'containerd', command, args });
  await waitFor(() => tryRun('ctr', ['--address', socket, 'version']), {
    what: 'containerd',
    deadlineMs: 30_000,
    signal,
    daemon: { runDir, record },
  });
  return record;
}

const hiddenCopy = (runDir: string, dir: string): string => join(runDir, 'hidden', dir.slice(1).replaceAll('/', '-'));

function renderConfig(runDir: string, socket: string): string {
  return `version = 2
root = "${join(runDir, 'containerd/root')}"
state = "${join(runDir, 'containerd/state')}"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE runc cannot lower oom_score_adj, and hides that behind "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(runDir, 'cni')}"
`;
}

function cniConfig(runDir: string): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: network.nodePodRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(runDir, 'ipam'),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Imports an archive as `docker save` writes it. */
export async function importArchive(name: string, archive: Buffer, signal?: AbortSignal): Promise<void> {
  await run('ctr', importArgs(name), { input: archive, timeoutMs: IMPORT_TIMEOUT_MS, signal });
}

const importArgs = (name: string): string[] => [
  ...['--address', containerdSocket(name), '--namespace', 'k8s.io'],
  ...['images', 'import', '-'],
];

/** Copies images from dockerd into the node: `docker save | ctr images import`. */
export async function importImages(
  name: string,
  dockerHost: string,
  images: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(IMPORT_TIMEOUT_MS);
  const options = {
    env: { ...baseEnv, DOCKER_HOST: dockerHost },
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  };
  const save = spawn('docker', ['save', ...images], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const load = spawn('ctr', importArgs(name), { ...options, stdio: [save.stdout, 'ignore', 'pipe'] });
  // The child holds the pipe now; our end must go, or docker would never notice that ctr has ended.
  save.stdout.destroy();
  let said = '';
  for (const child of [save, load]) child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const statuses = await Promise.all([once(save, 'exit'), once(load, 'exit')]);
  if (statuses.some(([status]) => status !== 0))
    throw new Error(`Could not import ${images.join(', ')} into the node:\n${said}`);
}

/** Names of the images that the node has. */
export async function nodeImages(name: string): Promise<string[]> {
  const listed = await run('ctr', [
    '--address',
    containerdSocket(name),
    '--namespace',
    'k8s.io',
    'images',
    'list',
    '--quiet',
  ]);
  return listed.split('\n').filter(Boolean);
}

/** Process ids of the shims that watch over our containers: they outlive containerd, and name its socket in their command line. */
export async function findShims(name: string): Promise<number[]> {
  const socket = containerdSocket(name);
  return findByArguments((args) => isShimOf(args, socket));
}

/** Whether a command line is that of a shim of the containerd on this socket. */
export function isShimOf([program = '', ...args]: readonly string[], socket: string): boolean {
  const flag = args.indexOf('-address');
  return program.includes('containerd-shim') && flag >= 0 && args[flag + 1] === socket;
}
