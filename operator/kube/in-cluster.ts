// The way to the API server from inside a pod, by the files of its ServiceAccount. For programs that have to stay small: no client library.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import type { Transport } from './connection.ts';
import { makeAgent } from './connection.ts';

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  readonly clock: Clock;
  /** KUBERNETES_SERVICE_HOST. */
  readonly host: string;
  /** KUBERNETES_SERVICE_PORT. */
  readonly port: number;
  /** Default: where Kubernetes mounts it. */
  readonly directory?: string;
}

/** The kubelet rotates the token long before it ends; the file is read again this often, as client-go does. */
const REREAD_MS = 60_000;

/** Rejects, in `credentials`, with the error of a file that cannot be read. */
export function inClusterTransport({
  clock,
  host,
  port,
  directory = SERVICE_ACCOUNT_DIR,
}: InClusterOptions): Transport {
  const baseUrl = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  let ca = '';
  let agent = makeAgent(baseUrl, {});
  let headers: { readonly Authorization: string } | undefined;
  let readAt = 0;

  return {
    baseUrl,
    async credentials() {
      if (headers !== undefined && clock.monotonic() - readAt < REREAD_MS) return { agent, headers };
      const [token, bundle] = await Promise.all([readText(directory, 'token'), readText(directory, 'ca.crt')]);
      if (bundle !== ca) {
        ca = bundle;
        agent = makeAgent(baseUrl, { ca });
      }
      headers = { Authorization: `Bearer ${token.trim()}` };
      readAt = clock.monotonic();
      return { agent, headers };
    },
    renew() {
      headers = undefined;
    },
    close() {
      agent.destroy();
    },
  };
}

function readText(directory: string, name: string): Promise<string> {
  return readFile(`${directory}/${name}`, 'utf8');
}
