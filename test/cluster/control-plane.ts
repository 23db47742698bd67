// etcd, the API server, the controller manager and, where there is a node, the scheduler.
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isServerReady } from './api-client.ts';
import type { Binaries } from './binaries.ts';
import { network, type Tier } from './config.ts';
import { kubeconfigPath, makeTokens, renderTokens, writeKubeconfigs, type Tokens } from './kubeconfig.ts';
import { startDaemon, waitFor, type DaemonRecord, type DaemonSpec } from './process.ts';

/** Where the control plane listens. Under tier `cluster` all of it is inside the network namespace. */
export interface ControlPlaneAddress {
  readonly address: string;
  readonly port: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
}

export interface ControlPlaneOptions {
  readonly tier: Tier;
  readonly runDir: string;
  readonly binaries: Binaries;
  readonly at: ControlPlaneAddress;
  /** Puts a program into the place where it has to run (the network namespace, or nothing). */
  readonly place: (spec: DaemonSpec) => DaemonSpec;
  /** Every write reaches the disk before it is answered. Slower; needed where the machine's crash is the test. */
  readonly durable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export function auditLogPath(runDir: string): string {
  return join(runDir, 'log/audit.log');
}

export function serverUrl(at: ControlPlaneAddress): string {
  return `https://${at.address}:${String(at.port)}`;
}

/** One line a request when it is answered, with its user agent: enough to count who asked what. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`;

/** Starts everything and returns when the API server is ready and the kubeconfig files are written. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<void> {
  const { runDir, place } = options;
  const tokens = makeTokens();
  await writeFiles(runDir, tokens);
  await startDaemon(runDir, place(etcdSpec(options)));
  const record = await startDaemon(runDir, place(apiserverSpec(options)));
  await waitForApiServer(runDir, serverUrl(options.at), record, options.signal);
  await writeKubeconfigs(runDir, serverUrl(options.at), tokens);
  await startDaemon(runDir, place(controllerManagerSpec(options)));
  if (options.tier === 'cluster') await startDaemon(runDir, place(schedulerSpec(options)));
}

/** Waits for /readyz. */
export async function waitForApiServer(
  runDir: string,
  server: string,
  record: DaemonRecord,
  signal?: AbortSignal,
): Promise<void> {
  await waitFor(async () => isServerReady(server), {
    what: 'the API server to be ready',
    deadlineMs: 60_000,
    signal,
    daemon: { runDir, record },
  });
}

async function writeFiles(runDir: string, tokens: Tokens): Promise<void> {
  await mkdir(join(runDir, 'pki'), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(runDir, 'pki/service-account.key'), pem, { mode: 0o600 });
  await writeFile(join(runDir, 'pki/tokens.csv'), renderTokens(tokens), { mode: 0o600 });
  await writeFile(join(runDir, 'audit-policy.yaml'), AUDIT_POLICY);
}

function etcdSpec({ runDir, binaries, at, durable }: ControlPlaneOptions): DaemonSpec {
  const clients = `http://127.0.0.1:${String(at.etcdPort)}`;
  const peers = `http://127.0.0.1:${String(at.etcdPeerPort)}`;
  const args = [
    `--data-dir=${join(runDir, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--log-level=warn',
    ...(durable === true ? [] : ['--unsafe-no-fsync']),
  ];
  return { name: 'etcd', command: binaries.kube.etcd, args };
}

function apiserverSpec({ tier, runDir, binaries, at }: ControlPlaneOptions): DaemonSpec {
  const key = join(runDir, 'pki/service-account.key');
  const args = [
    `--etcd-servers=http://127.0.0.1:${String(at.etcdPort)}`,
    `--cert-dir=${join(runDir, 'pki')}`,
    `--bind-address=${tier === 'api' ? at.address : '0.0.0.0'}`,
    `--advertise-address=${at.address}`,
    `--secure-port=${String(at.port)}`,
    '--authorization-mode=Node,RBAC',
    `--token-auth-file=${join(runDir, 'pki/tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--service-cluster-ip-range=${network.serviceRange}`,
    '--allow-privileged=true',
    '--enable-admission-plugins=NodeRestriction',
    '--kubelet-preferred-address-types=InternalIP',
    '--profiling=false',
    `--audit-policy-file=${join(runDir, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLogPath(runDir)}`,
    '--audit-log-maxsize=4096',
    // An endpoint on loopback is refused, and without a node nobody asks for one.
    ...(tier === 'api' ? ['--endpoint-reconciler-type=none'] : []),
  ];
  return { name: 'kube-apiserver', command: binaries.kube['kube-apiserver'], args };
}

function controllerManagerSpec({ tier, runDir, binaries }: ControlPlaneOptions): DaemonSpec {
  const args = [
    `--kubeconfig=${kubeconfigPath(runDir, 'kube-controller-manager')}`,
    `--service-account-private-key-file=${join(runDir, 'pki/service-account.key')}`,
    `--root-ca-file=${join(runDir, 'pki/apiserver.crt')}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    ...(tier === 'cluster' ? [`--cluster-cidr=${network.podRange}`, '--allocate-node-cidrs=true'] : []),
  ];
  return { name: 'kube-controller-manager', command: binaries.kube['kube-controller-manager'], args };
}

function schedulerSpec({ runDir, binaries }: ControlPlaneOptions): DaemonSpec {
  const args = [
    `--kubeconfig=${kubeconfigPath(runDir, 'kube-scheduler')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
  return { name: 'kube-scheduler', command: binaries.kube['kube-scheduler'], args };
}
