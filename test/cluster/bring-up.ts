// The order in which the programs of an instance are started. What does not depend on each other starts at the same time.
import { apiGet } from './api-client.ts';
import type { Binaries } from './binaries.ts';
import { run } from './command.ts';
import { network, NODE_NAME, type Tier } from './config.ts';
import { importArchive, startContainerd } from './containerd.ts';
import { auditLogPath, serverUrl, startControlPlane, type ControlPlaneAddress } from './control-plane.ts';
import { dnsObjects, startDns } from './dns.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { createNetwork, placeInside } from './network.ts';
import { startNode } from './node.ts';
import { startObjectStore } from './object-store.ts';
import { pauseArchive } from './pause.ts';
import { freePorts } from './ports.ts';
import { waitFor, type DaemonRecord } from './process.ts';
import type { Instance, ObjectStoreAccess } from './state.ts';
import { together } from './together.ts';

export interface BringUpOptions {
  readonly name: string;
  readonly tier: Tier;
  readonly runDir: string;
  readonly binaries: Binaries;
  readonly durable: boolean;
  readonly signal?: AbortSignal | undefined;
}

type Access = Pick<Instance, 'kubeconfig' | 'server' | 'auditLog' | 's3'>;

/** Starts everything that the tier has, in an empty run directory, and returns when it is ready to use. */
export async function bringUp(options: BringUpOptions): Promise<Access> {
  return options.tier === 'api' ? bringUpApi(options) : bringUpCluster(options);
}

async function bringUpApi(options: BringUpOptions): Promise<Access> {
  const [port = 0, etcdPort = 0, etcdPeerPort = 0, storePort = 0] = await freePorts(4);
  const at = { address: '127.0.0.1', port, etcdPort, etcdPeerPort };
  const place = <T>(spec: T): T => spec;
  const [s3] = await together<[ObjectStoreAccess, unknown]>(
    options.signal,
    async (signal) => startObjectStore({ ...options, signal, place, host: at.address, port: storePort }),
    async (signal) => startControlPlane({ ...options, signal, place, at }),
  );
  await waitForDefaults(options);
  return access(options, at, s3);
}

async function bringUpCluster(options: BringUpOptions): Promise<Access> {
  const { runDir, binaries } = options;
  await createNetwork();
  const at = { address: network.nodeAddress, port: 6443, etcdPort: 2379, etcdPeerPort: 2380 };
  const [s3, containerd] = await together<[ObjectStoreAccess, DaemonRecord, unknown]>(
    options.signal,
    async (signal) => startObjectStore({ ...options, signal, place: placeInside, host: at.address, port: 7070 }),
    async (signal) => prepareRuntime({ ...options, signal }),
    async (signal) => startControlPlane({ ...options, signal, place: placeInside, at }),
  );
  await startNode({ ...options, containerd });
  await startDns(runDir, binaries);
  await together(
    options.signal,
    async (signal) => waitForDefaults({ ...options, signal }),
    async (signal) => createDnsObjects({ ...options, signal }),
    async (signal) =>
      waitFor(async () => isNodeReady(runDir), { what: 'the node to be Ready', deadlineMs: 60_000, signal }),
  );
  return access(options, at, s3);
}

async function prepareRuntime({ name, runDir, binaries, signal }: BringUpOptions): Promise<DaemonRecord> {
  const [record, archive] = await together(
    signal,
    async (combined) => startContainerd({ name, runDir, signal: combined }),
    async () => pauseArchive(binaries.pause),
  );
  await importArchive(name, archive, signal);
  return record;
}

async function createDnsObjects({ runDir, binaries, signal }: BringUpOptions): Promise<void> {
  await run(binaries.kube.kubectl, ['create', '--filename=-'], {
    env: { KUBECONFIG: kubeconfigPath(runDir, 'admin') },
    input: JSON.stringify(dnsObjects()),
    signal,
  });
}

/** Every namespace gets its ServiceAccount from the controller manager; without it no pod can be created. */
async function waitForDefaults({ runDir, signal }: BringUpOptions): Promise<void> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  const exists = async (): Promise<boolean> => (await apiGet(kubeconfigPath(runDir, 'admin'), path))?.status === 200;
  await waitFor(exists, { what: 'the default ServiceAccount', deadlineMs: 60_000, signal });
}

async function isNodeReady(runDir: string): Promise<boolean> {
  const answer = await apiGet(kubeconfigPath(runDir, 'admin'), `/api/v1/nodes/${NODE_NAME}`);
  if (answer?.status !== 200) return false;
  const node = JSON.parse(answer.body) as { status?: { conditions?: { type: string; status: string }[] } };
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function access({ runDir }: BringUpOptions, at: ControlPlaneAddress, s3: ObjectStoreAccess): Access {
  return { kubeconfig: kubeconfigPath(runDir, 'admin'), server: serverUrl(at), auditLog: auditLogPath(runDir), s3 };
}
