// EndpointSlices as the API server sends them, reduced to what a router needs: which pods serve a Service, and whether they are ready. Pure.
import * as z from 'zod';

/** One pod behind a Service. */
export interface Endpoint {
  /** UID of the pod; for an endpoint without a pod, something made from its address. */
  readonly uid: string;
  readonly address: string;
  readonly port: number;
  /** False: it is going away but still answers. */
  readonly ready: boolean;
}

/** Name of a Service → its endpoints. A Service without an entry has none. */
export type Endpoints = ReadonlyMap<string, readonly Endpoint[]>;

/** The API's own label on every slice. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** Port of the Service that takes requests; a Service without a port of that name has only one. */
const PORT_NAME = 'http';

// `null` and absent mean the same in this API, and a null condition means "assume yes".
const condition = z.boolean().nullish();
const Slice = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }),
  addressType: z.string(),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z.object({ ready: condition, serving: condition, terminating: condition }).nullish(),
        targetRef: z.object({ uid: z.string().optional() }).nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.object({ name: z.string().nullish(), port: z.int().nullish() })).nullish(),
});
type Slice = z.infer<typeof Slice>;

/**
 * The usable endpoints of each Service. A pod may be in several slices (both address families, or while it moves from one to another):
 * it counts once, IPv4 and ready before the others. What does not look like a slice with addresses is left out.
 */
export function endpointsOf(objects: Iterable<unknown>): Endpoints {
  const services = new Map<string, Map<string, Endpoint>>();
  const slices = [...objects].flatMap((object) => {
    const parsed = Slice.safeParse(object);
    return parsed.success && parsed.data.addressType !== 'FQDN' ? [parsed.data] : [];
  });
  for (const slice of slices.toSorted((a, b) => (a.addressType < b.addressType ? -1 : 1))) {
    const service = slice.metadata.labels?.[SERVICE_NAME_LABEL];
    if (service === undefined) continue;
    const pods = services.get(service) ?? new Map<string, Endpoint>();
    services.set(service, pods);
    for (const endpoint of endpointsIn(slice)) {
      const known = pods.get(endpoint.uid);
      if (known === undefined || (endpoint.ready && !known.ready)) pods.set(endpoint.uid, endpoint);
    }
  }
  return new Map([...services].map(([service, pods]) => [service, [...pods.values()].toSorted(byUid)]));
}

function endpointsIn(slice: Slice): Endpoint[] {
  const port = (slice.ports?.find(({ name }) => name === PORT_NAME) ?? slice.ports?.[0])?.port;
  if (typeof port !== 'number') return [];
  return (slice.endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
    const [address] = addresses;
    const ready = conditions?.ready ?? true;
    const serving = conditions?.serving ?? ready;
    if (address === undefined || !(ready || serving)) return [];
    return [{ uid: targetRef?.uid ?? `ip-${address.replaceAll(':', '_')}`, address, port, ready }];
  });
}

function byUid(a: Endpoint, b: Endpoint): number {
  return a.uid < b.uid ? -1 : 1;
}
