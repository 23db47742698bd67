// The network namespace of the node: a link to the host, a default route to nowhere, and on the host the routes to Services and pods.
//
//   host 10.201.0.1 ── switchyard0 ─┊─ eth0 ── 10.201.0.2 node ── cni0 ── pods 10.204.0.0/24
//                                   ┊  sink0 ── sink1            Services 10.203.0.0/16 (kube-proxy translates them)
//
// By these routes a process on the host (a test, curl, the demo's report) reaches ClusterIPs and pod addresses directly, so it need not run inside.
import { writeFile } from 'node:fs/promises';
import { run, tryRun } from './command.ts';
import { network } from './config.ts';
import { MissingPart } from './missing.ts';
import type { DaemonSpec } from './process.ts';

const NAMESPACE_PATH = `/var/run/netns/${network.namespace}`;
const RANGES = [network.serviceRange, network.podRange] as const;

/** Command and arguments that run something inside. Not `ip netns exec`: that mounts a fresh /sys, where the kubelet finds no cgroups. */
export function insideNamespace(command: string, args: readonly string[]): [string, string[]] {
  return ['nsenter', [`--net=${NAMESPACE_PATH}`, command, ...args]];
}

/** The same for a daemon; nsenter becomes the program, so the process id is the program's. */
export function placeInside(spec: DaemonSpec): DaemonSpec {
  const [command, args] = insideNamespace(spec.command, spec.args);
  return { ...spec, command, args };
}

/** Makes the namespace, the links and the routes. What a killed run has left must be gone: see {@link removeNetwork}. */
export async function createNetwork(): Promise<void> {
  await refuseTakenRanges();
  const { namespace, hostLink } = network;
  await run('ip', ['netns', 'add', namespace]);
  await run('ip', ['link', 'add', hostLink, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  await run('ip', ['-batch', '-'], { input: hostCommands().join('\n') });
  await run(...insideNamespace('ip', ['-batch', '-']), { input: insideCommands().join('\n') });
  await run(...insideNamespace('sh', ['-ec', INSIDE_SETTINGS]));
}

function hostCommands(): string[] {
  const { hostLink, hostAddress, nodeAddress } = network;
  return [
    `address add ${hostAddress}/30 dev ${hostLink}`,
    `link set ${hostLink} up`,
    ...RANGES.map((range) => `route add ${range} via ${nodeAddress} dev ${hostLink}`),
    // When the link goes, its routes go: traffic to a stopped cluster must still never take the host's default route.
    ...RANGES.map((range) => `route replace blackhole ${range} metric 9999`),
  ];
}

function insideCommands(): string[] {
  return [
    'link set lo up',
    `address add ${network.nodeAddress}/30 dev eth0`,
    'link set eth0 up',
    // A pair whose both ends are here: an address that kube-proxy does not translate goes in and never comes out.
    'link add sink0 type veth peer name sink1',
    'link set sink0 up',
    'link set sink1 up',
    `address add ${network.sinkAddress}/30 dev sink0`,
    'route add default dev sink0',
  ];
}

/** Bridged answers between two pods of one Service must pass the address translation, which br_netfilter (where it is a setting) does. */
const INSIDE_SETTINGS = `
echo 1 > /proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi
`;

/** Removes all of it; fine when nothing is there. Blackhole routes go last, after everybody who might still send. */
export async function removeNetwork(): Promise<void> {
  await tryRun('ip', ['link', 'delete', network.hostLink]);
  await tryRun('ip', ['netns', 'delete', network.namespace]);
  for (const range of RANGES) await tryRun('ip', ['route', 'delete', 'blackhole', range, 'metric', '9999']);
}

/** Process ids inside the namespace: ours, whether recorded or not. */
export async function processesInside(): Promise<number[]> {
  const listed = await run('ip', ['netns', 'pids', network.namespace]).catch(() => '');
  return listed.split('\n').filter(Boolean).map(Number);
}

async function refuseTakenRanges(): Promise<void> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', 'table', 'main'])) as Route[];
  const taken = findTakenRange(routes);
  if (taken === undefined) return;
  throw new MissingPart(
    `The test cluster wants the addresses ${taken.range}, but this machine has a route to ${taken.route} already. ` +
      'Change the ranges in test/cluster/config.ts.',
  );
}

export interface Route {
  readonly dst: string;
  readonly dev?: string;
  readonly type?: string;
}

/** A route of somebody else's that lies in one of our ranges or around it (the default route does not count). */
export function findTakenRange(routes: readonly Route[]): { range: string; route: string } | undefined {
  const foreign = routes.filter(
    ({ dst, dev, type }) => dst !== 'default' && type !== 'blackhole' && dev !== network.hostLink,
  );
  const ranges = [network.linkRange, ...RANGES];
  for (const { dst } of foreign) {
    const range = ranges.find((candidate) => overlaps(candidate, dst));
    if (range !== undefined) return { range, route: dst };
  }
  return undefined;
}

/** Whether two IPv4 ranges (`10.0.0.0/8`, or one address) share an address. */
export function overlaps(left: string, right: string): boolean {
  const [a, b] = [parseRange(left), parseRange(right)];
  const shift = 32 - Math.min(a.bits, b.bits);
  return Math.floor(a.address / 2 ** shift) === Math.floor(b.address / 2 ** shift);
}

function parseRange(range: string): { address: number; bits: number } {
  const [address = '', bits = '32'] = range.split('/');
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), bits: Number(bits) };
}

/** Names for pods come from CoreDNS; the file for those that want the node's own resolver points there too. */
export async function writeResolvConf(path: string): Promise<void> {
  await writeFile(path, `nameserver ${network.nodeAddress}\n`);
}
