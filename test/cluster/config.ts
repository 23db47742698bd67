// Where the test cluster keeps its things, which versions it runs and which addresses it takes: the only file here that reads the environment.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `api`: etcd, API server, controller manager and S3 on loopback, without root. `cluster`: a whole node with real pods. */
export type Tier = 'api' | 'cluster';
export const TIERS: readonly Tier[] = ['api', 'cluster'];

export const KUBERNETES_VERSION = 'v1.36.3';
export const VERSITYGW_VERSION = 'v1.8.0';
export const DEBIAN_RELEASE = 'bookworm';
export const REGION = 'us-east-1';

/** The checkout that this file is part of. */
export const projectRoot = join(import.meta.dirname, '../..');

const env = process.env;

export const isCI = env['CI'] === 'true';
export const isRoot = process.getuid?.() === 0;

/** Binaries, base images, the layers of dockerd and the run directories. */
export const cacheDir = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'switchyard');
export const runsDir = join(cacheDir, 'run');

/** Folder of sockets: a Unix socket's path is limited to 107 bytes, and a home directory may be deep. */
export const socketsDir = '/run/switchyard';
/** What there is once on a machine (the network namespace, dockerd) is locked once on a machine, whichever cache is used. */
export const machineLocksDir = isRoot ? join(socketsDir, 'locks') : join(cacheDir, 'locks');
export const dockerSocket = join(socketsDir, 'docker.sock');
export const dockerHost = `unix://${dockerSocket}`;

/** A folder with kube-apiserver, etcd and kubectl, as controller tests know it; looked at before anything is built. */
export const kubeAssetsDir: string | undefined = env['KUBEBUILDER_ASSETS'];

/** Commands of the system administrator are not on everybody's PATH. */
export const commandPath = [...new Set([...(env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'])]
  .filter((dir) => dir !== '')
  .join(':');

/** The environment for commands that we run. */
export const baseEnv: Readonly<NodeJS.ProcessEnv> = { ...env, PATH: commandPath };

/** The one network namespace of tier `cluster`, and what belongs to it. `hostLink` exists on the host, the rest inside. */
export const network = {
  namespace: 'switchyard',
  hostLink: 'switchyard0',
  hostAddress: '10.201.0.1',
  nodeAddress: '10.201.0.2',
  linkRange: '10.201.0.0/30',
  sinkAddress: '10.202.0.1',
  serviceRange: '10.203.0.0/16',
  dnsAddress: '10.203.0.10',
  podRange: '10.204.0.0/16',
  nodePodRange: '10.204.0.0/24',
  dockerBridge: 'switchyard-dkr',
  dockerAddress: '10.205.0.1/24',
} as const;

export const NODE_NAME = 'node1';
/** Every pod and every container lives below these, so that a clean-up finds ours and nobody else's. */
export const cgroups = { pods: 'switchyard', docker: 'switchyard-docker' } as const;

/** Tests of tier `cluster` use the cluster that is up, and leave it up. */
export const reuse = env['SWITCHYARD_REUSE'] === '1';
