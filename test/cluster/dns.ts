// Names for pods: CoreDNS as a plain process on the node, and the Service by which pods ask it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { network } from './config.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { placeInside } from './network.ts';
import { startDaemon } from './process.ts';

/** Starts CoreDNS. It serves names of this cluster only: there is no other name server to ask. */
export async function startDns(runDir: string, binaries: Binaries): Promise<void> {
  const corefile = join(runDir, 'Corefile');
  await writeFile(corefile, renderCorefile(runDir));
  await startDaemon(
    runDir,
    placeInside({ name: 'coredns', command: binaries.kube.coredns, args: ['-conf', corefile] }),
  );
}

function renderCorefile(runDir: string): string {
  return `.:53 {
  bind ${network.nodeAddress}
  errors
  ready ${network.nodeAddress}:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfigPath(runDir, 'admin')}
    ttl 5
  }
}
`;
}

const ports = (target: object): object[] => [
  { name: 'dns', protocol: 'UDP', port: 53, ...target },
  { name: 'dns-tcp', protocol: 'TCP', port: 53, ...target },
];

/** A Service without selector and its one endpoint: the process on the node. */
export function dnsObjects(): object {
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: network.dnsAddress, ports: ports({}) },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4',
    ports: ports({}),
    endpoints: [{ addresses: [network.nodeAddress], conditions: { ready: true } }],
  };
  return { apiVersion: 'v1', kind: 'List', items: [service, slice] };
}
