// What the router pods say they do: weights count only once every serving router has acknowledged them.
import { AGENT_PORT, Applied } from '../../router/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import { JsonHttp, UnreachableError, type Address } from './json-http.ts';
import type { CallOptions, Unreachable } from './reload-client.ts';

export type AppliedOutcome = { readonly kind: 'applied'; readonly applied: Applied } | Unreachable;

export interface RouterClient {
  /** GET /applied of the router pod at this address. */
  applied(ip: string, options: CallOptions): Promise<AppliedOutcome>;
  close(): void;
}

export interface RouterClientOptions {
  readonly clock: Clock;
  /** Where a router's agent really is. Default: the pod's own address. */
  readonly addressOf?: (ip: string) => Address;
}

/** The table is in it: at worst a line for each of its buckets. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** A client with connections of its own, until `close`. */
export function createRouterClient({ clock, addressOf = agentAddress }: RouterClientOptions): RouterClient {
  const http = new JsonHttp(clock);
  return {
    async applied(ip, options) {
      const call = { method: 'GET' as const, address: addressOf(ip), path: '/applied', maxBytes: MAX_ANSWER_BYTES };
      try {
        const { status, body } = await http.call({ ...call, ...options });
        const parsed = Applied.safeParse(body);
        if (status === 200 && parsed.success) return { kind: 'applied', applied: parsed.data };
        return { kind: 'unreachable', message: `/applied answered ${status} in an unknown form` };
      } catch (error) {
        if (error instanceof UnreachableError) return { kind: 'unreachable', message: error.message };
        throw error;
      }
    },
    close: () => http.close(),
  };
}

function agentAddress(ip: string): Address {
  return { host: ip, port: AGENT_PORT };
}
