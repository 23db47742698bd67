// The node: kubelet and kube-proxy on top of containerd, all inside the network namespace.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { createCgroup } from './cgroup.ts';
import { cgroups, network, NODE_NAME } from './config.ts';
import { containerdSocket } from './containerd.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { placeInside, writeResolvConf } from './network.ts';
import { startDaemon, type DaemonRecord } from './process.ts';

export interface NodeOptions {
  readonly name: string;
  readonly runDir: string;
  readonly binaries: Binaries;
  /** Its mount namespace is the kubelet's too: both see the same mounts. */
  readonly containerd: DaemonRecord;
}

/** Starts kubelet and kube-proxy. The node becomes Ready some seconds later. */
export async function startNode(options: NodeOptions): Promise<void> {
  const { runDir, name } = options;
  await createCgroup(cgroups.pods);
  await mkdir(join(runDir, 'kubelet'), { recursive: true });
  await writeResolvConf(join(runDir, 'resolv.conf'));
  await writeFile(join(runDir, 'kubelet.json'), JSON.stringify(kubeletConfig(name, runDir), undefined, 2));
  await writeFile(join(runDir, 'kube-proxy.json'), JSON.stringify(proxyConfig(runDir), undefined, 2));
  await startKubelet(options);
  await startDaemon(
    runDir,
    placeInside({
      name: 'kube-proxy',
      command: options.binaries.kube['kube-proxy'],
      args: [`--config=${join(runDir, 'kube-proxy.json')}`],
    }),
  );
}

async function startKubelet({ runDir, binaries, containerd }: NodeOptions): Promise<void> {
  const args = [
    `--config=${join(runDir, 'kubelet.json')}`,
    `--kubeconfig=${kubeconfigPath(runDir, 'kubelet')}`,
    `--root-dir=${join(runDir, 'kubelet')}`,
    `--cert-dir=${join(runDir, 'kubelet/pki')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${network.nodeAddress}`,
  ];
  await startDaemon(runDir, {
    name: 'kubelet',
    command: 'nsenter',
    args: ['--target', String(containerd.pid), '--mount', '--net', binaries.kube.kubelet, ...args],
  });
}

function kubeletConfig(name: string, runDir: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroups.pods}`,
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket(name)}`,
    enforceNodeAllocatable: [],
    // Reached only over the private link: the API server asks it for logs and exec without a certificate.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    // Images come by import and could not be pulled again: never remove one.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    clusterDNS: [network.dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: join(runDir, 'resolv.conf'),
    maxPods: 200,
    registerNode: true,
    podLogsDir: join(runDir, 'pods'),
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    eventRecordQPS: 0,
  };
}

function proxyConfig(runDir: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigPath(runDir, 'kube-proxy') },
    clusterCIDR: network.podRange,
    // 0 leaves the host's connection tracking limits alone.
    conntrack: { maxPerCore: 0, min: 0 },
    hostnameOverride: NODE_NAME,
  };
}
