// The fixed HAProxy configuration: SLOTS numbered backends and rules that read maps. It never changes while HAProxy runs: weights are
// map commits, pods are added by the runtime API. Only what HAProxy 2.6 and the current LTS both know.
import { BUCKETS, SLOTS, STATUS_PORT, TIMES, TRAFFIC_PORT } from '../contract.ts';
import type { StickyKey } from '../contract.ts';

/** A model pod as HAProxy knows it: the name is the pod's UID, the address an IP. */
export interface Server {
  readonly slot: number;
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** What is decided when the router starts; a change of it rolls the pods. */
export interface RouterSettings {
  /** Salt of the hash, so that two experiments divide the same users differently: the resource's name. */
  readonly name: string;
  readonly sticky?: StickyKey;
  readonly overrideHeader?: string;
  /** Directory of the socket, the maps and the configuration itself. */
  readonly directory: string;
  /** Addresses to listen on, for example `:8080` or `:::8080 v4v6`. */
  readonly trafficBind: string;
  readonly statusBind: string;
}

/** Checks are bare TCP connects: readiness is the kubelet's word, this only notices a dead pod or node sooner. */
export const CHECK = 'check inter 2s fall 2 rise 1';

export type MapName = 'buckets' | 'variants' | 'override' | 'table';

/** Keys of the map `table`; `serviceKey` makes those that say whose pods a slot holds. */
export const GENERATION = 'generation';
export const CHECKSUM = 'checksum';
export const DRAINING = 'draining';

/** Key of the map `table` that says whose pods a slot holds. */
export function serviceKey(slot: number): string {
  return `service:${slot}`;
}

/** Path of a map, which is its name on the command line too. */
export function mapPath(directory: string, map: MapName): string {
  return `${directory}/${map}.map`;
}

/** Maps that the configuration reads, in the order in which a change must be committed: names before the slots that need them. */
export function mapsOf(settings: Pick<RouterSettings, 'overrideHeader'>): readonly MapName[] {
  return settings.overrideHeader === undefined
    ? ['variants', 'buckets', 'table']
    : ['variants', 'override', 'buckets', 'table'];
}

/** Path of the configuration file. */
export function configPath(directory: string): string {
  return `${directory}/haproxy.cfg`;
}

/** Path of the command-line socket. */
export function socketPath(directory: string): string {
  return `${directory}/admin.sock`;
}

/** Listening addresses for a pod of that IP; IPv6 pods listen on both families. */
export function bindsFor(podIp: string): Pick<RouterSettings, 'trafficBind' | 'statusBind'> {
  const bind = (port: number) => (podIp.includes(':') ? `:::${port} v4v6` : `:${port}`);
  return { trafficBind: bind(TRAFFIC_PORT), statusBind: bind(STATUS_PORT) };
}

/** `address:port` as a server line and the `add server` command take it. */
export function endpointOf({ address, port }: Pick<Server, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The whole haproxy.cfg, with `servers` in it so that a (re)started HAProxy serves at once. */
export function renderConfig(settings: RouterSettings, servers: readonly Server[]): string {
  const backends = Array.from({ length: SLOTS }, (_, slot) => [
    `backend slot${slot}`,
    ...servers
      .filter((server) => server.slot === slot)
      .map((server) => `  server ${server.name} ${endpointOf(server)} ${CHECK}`),
  ]);
  const sections = [globals(settings), defaults(), traffic(settings), status(settings), ...backends];
  return sections.map((lines) => lines.join('\n')).join('\n\n') + '\n';
}

function globals({ directory }: RouterSettings): string[] {
  return [
    'global',
    `  stats socket ${socketPath(directory)} mode 600 level admin`,
    '  stats timeout 30s',
    // One thread: a map commit never falls between two rules of one request.
    '  nbthread 1',
    // A container's file limit may be a billion, from which HAProxy would size its tables.
    '  maxconn 4000',
    '  no strict-limits',
    `  hard-stop-after ${TIMES.hardStop}s`,
    '  log stdout format raw daemon notice',
  ];
}

function defaults(): string[] {
  return [
    'defaults',
    '  mode http',
    '  log global',
    '  balance random',
    `  timeout connect ${TIMES.connect}s`,
    '  timeout check 1s',
    `  timeout client ${TIMES.request}s`,
    `  timeout server ${TIMES.request}s`,
    '  timeout http-request 30s',
    `  timeout http-keep-alive ${TIMES.keepAlive}s`,
    // A connection that failed reached no server, so any method may be sent again, to another server at once.
    '  retries 3',
    '  retry-on conn-failure',
    '  option redispatch 1',
    // A soft stop ends a connection with an answer that says so, never under the client's next request.
    '  option idle-close-on-response',
    '  option forwardfor',
    ...Object.entries(ERRORS).map(([code, detail]) => `  http-error status ${code} ${JSON_BODY} ${body(detail)}`),
  ];
}

const ERRORS = {
  400: 'The router could not read the request',
  408: 'The request was not complete in time',
  500: 'The router failed',
  502: 'The model server broke off its answer',
  503: 'No model server is ready',
  504: 'The model server did not answer in time',
} as const;
const JSON_BODY = 'content-type application/json string';

function body(detail: string): string {
  return `'${JSON.stringify({ detail })}'`;
}

function traffic(settings: RouterSettings): string[] {
  const map = (name: MapName) => mapPath(settings.directory, name);
  return [
    'frontend traffic',
    `  bind ${settings.trafficBind}`,
    '  http-request set-header X-Request-Id %[uuid()] unless { req.fhdr(x-request-id) -m len 1:128 }',
    '  http-request set-var(txn.id) req.fhdr(x-request-id)',
    // The bucket, the slot and the variant's name are settled here, once: what the answer says is what was chosen.
    `  http-request set-var(txn.bucket) rand(${BUCKETS})`,
    ...stickyRules(settings),
    `  http-request set-var(txn.slot) var(txn.bucket),map_int(${map('buckets')})`,
    ...overrideRules(settings),
    `  http-request set-var(txn.variant) var(txn.slot),map_str(${map('variants')})`,
    '  http-after-response set-header X-Request-Id %[var(txn.id)] if { var(txn.id) -m found }',
    '  http-after-response set-header X-Model-Variant %[var(txn.variant)] if { var(txn.variant) -m found }',
    // A router that is going away ends its connections one answer at a time, while its command line still works: after SIGUSR1
    // HAProxy takes no more commands ("Proxy is disabled").
    `  http-after-response set-header Connection close if { str(${DRAINING}),map_str(${map('table')}) -m found }`,
    '  use_backend slot%[var(txn.slot)] if { var(txn.slot) -m found }',
  ];
}

function stickyRules({ name, sticky }: RouterSettings): string[] {
  if (sticky === undefined) return [];
  const key = '{ var(txn.key) -m len gt 0 }';
  return [
    `  http-request set-var(txn.key) ${keyOf(sticky)}`,
    `  http-request set-var-fmt(txn.salted) "${name} %[var(txn.key)]" if ${key}`,
    `  http-request set-var(txn.bucket) var(txn.salted),xxh32(1),mod(${BUCKETS}) if ${key}`,
  ];
}

function keyOf(sticky: StickyKey): string {
  if ('header' in sticky) return `req.fhdr(${sticky.header})`;
  if ('cookie' in sticky) return `req.cook(${sticky.cookie})`;
  return 'src';
}

/** A variant that nobody can answer for is not in the map: then the split decides, and X-Model-Variant says who answered. */
function overrideRules({ directory, overrideHeader }: RouterSettings): string[] {
  if (overrideHeader === undefined) return [];
  const chosen = `req.fhdr(${overrideHeader}),map_str(${mapPath(directory, 'override')})`;
  return [`  http-request set-var(txn.slot) ${chosen} if { ${chosen} -m found }`];
}

function status({ statusBind, directory }: RouterSettings): string[] {
  return [
    'frontend status',
    `  bind ${statusBind}`,
    '  monitor-uri /healthz',
    '  http-request use-service prometheus-exporter if { path /metrics }',
    // Reads the table's own map, which HAProxy would not load if no rule named it.
    `  http-request return status 200 content-type text/plain lf-string %[str(${GENERATION}),map_str(${mapPath(directory, 'table')},0)] if { path /generation }`,
    '  http-request return status 404',
  ];
}
