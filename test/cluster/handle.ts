// A running instance as tests and the demo hold it. Made from what is on disk, so that any process can hold one.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { cleanUp } from './cleanup.ts';
import { run, type RunOptions } from './command.ts';
import { baseEnv, dockerHost, type Tier } from './config.ts';
import { importImages } from './containerd.ts';
import { waitForApiServer } from './control-plane.ts';
import type { Release } from './lock.ts';
import { insideNamespace } from './network.ts';
import { OBJECT_STORE, waitForObjectStore } from './object-store.ts';
import { isAlive, readDaemon, startDaemon, stopDaemon, type DaemonRecord } from './process.ts';
import { readInstance, type Instance, type ObjectStoreAccess } from './state.ts';

/** Something that a test may stop and start again. */
export interface Restartable {
  stop(): Promise<void>;
  /** Ends when it answers again. Fine when it runs already. */
  start(): Promise<void>;
}

export interface Cluster {
  readonly tier: Tier;
  readonly name: string;
  readonly runDir: string;
  /** Path of an administrator's kubeconfig, usable from the host. */
  readonly kubeconfig: string;
  readonly kubectlPath: string;
  /** `https://HOST:PORT` as reached from the host. */
  readonly server: string;
  /** One JSON line for each request that the API server has answered (level Metadata, with `userAgent`). */
  readonly auditLog: string;
  readonly s3: ObjectStoreAccess & Restartable;
  readonly apiserver: Restartable;
  /** KUBECONFIG and the AWS_… variables by which clients on the host find the instance. */
  env(): Record<string, string>;
  /** Runs kubectl and returns its standard output. Throws CommandFailed with what it said. */
  kubectl(args: readonly string[], input?: string, options?: Omit<RunOptions, 'input' | 'env'>): Promise<string>;
  /** Starts a program on the node's network (tier `cluster`); under tier `api` simply a program. Its end is the caller's business, or `down`'s. */
  inNamespace(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Copies images from our dockerd to the node. */
  importImages(images: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Takes the instance down, its logs excepted. */
  down(): Promise<void>;
}

/** `release` gives back what the starter holds; who only uses the instance has none. */
export function openCluster(instance: Instance, release?: Release): Cluster {
  const { tier, name, runDir, kubeconfig, server, auditLog } = instance;
  const env = (): Record<string, string> => clientEnv(instance);
  return {
    ...{ tier, name, runDir, kubeconfig, server, auditLog, env },
    kubectlPath: instance.binaries.kube.kubectl,
    s3: { ...instance.s3, ...objectStoreSwitch(instance) },
    apiserver: apiserverSwitch(instance),
    kubectl: async (args, input, options) =>
      run(instance.binaries.kube.kubectl, args, { ...options, env: env(), ...(input !== undefined && { input }) }),
    inNamespace: (command, args, options) => {
      const [program, programArgs] = tier === 'cluster' ? insideNamespace(command, args) : [command, args];
      return spawn(program, programArgs, { env: { ...baseEnv, ...env() }, ...options });
    },
    importImages: async (images, signal) => importImages(name, dockerHost, images, signal),
    down: async () => {
      await cleanUp(name, tier);
      await release?.();
    },
  };
}

/** For another process than the one that started it, for instance a test worker. Throws when nothing runs there. */
export async function openRunningCluster(runDir: string): Promise<Cluster> {
  const instance = await readInstance(runDir);
  if (instance === undefined) throw new Error(`No instance runs in ${runDir}.`);
  return openCluster(instance);
}

function clientEnv({ kubeconfig, s3 }: Instance): Record<string, string> {
  return {
    KUBECONFIG: kubeconfig,
    AWS_ENDPOINT_URL_S3: s3.hostEndpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

function apiserverSwitch({ runDir, server }: Instance): Restartable {
  return daemonSwitch(runDir, 'kube-apiserver', async (record) => waitForApiServer(runDir, server, record));
}

function objectStoreSwitch({ runDir, s3 }: Instance): Restartable {
  return daemonSwitch(runDir, OBJECT_STORE, async (record) => waitForObjectStore(runDir, s3.hostEndpoint, record));
}

function daemonSwitch(runDir: string, name: string, ready: (record: DaemonRecord) => Promise<void>): Restartable {
  const read = async (): Promise<DaemonRecord> => {
    const record = await readDaemon(runDir, name);
    if (record === undefined) throw new Error(`${name} was never started in ${runDir}.`);
    return record;
  };
  return {
    // The API server would wait for its watches to end by themselves.
    stop: async () => stopDaemon(await read(), 2_000),
    start: async () => {
      const record = await read();
      if (await isAlive(record)) return;
      await ready(await startDaemon(runDir, record));
    },
  };
}
