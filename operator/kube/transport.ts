// The only file that knows @kubernetes/client-node: it reads kubeconfigs and authenticates. Everything else of it is left unused on purpose.
import { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Credentials, TlsOptions, Transport } from './connection.ts';
import { makeAgent } from './connection.ts';

/** From $KUBECONFIG, ~/.kube/config or the pod's ServiceAccount, in this order. Throws when none names a cluster. */
export function defaultTransport(): Transport {
  return kubeConfigTransport(() => {
    const config = new KubeConfig();
    config.loadFromDefault();
    return config;
  });
}

/** From the current context of a kubeconfig file, which is read anew when the server refuses the credentials. */
export function fileTransport(path: string): Transport {
  return kubeConfigTransport(() => {
    const config = new KubeConfig();
    config.loadFromFile(path);
    return config;
  });
}

/** `load` is called once, and again when the server refuses the credentials. */
export function kubeConfigTransport(load: () => KubeConfig): Transport {
  let config = load();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current cluster');
  const baseUrl = new URL(cluster.server);
  let tls: TlsOptions = {};
  let agent = cluster.proxyUrl === undefined ? makeAgent(baseUrl, tls) : undefined;

  return {
    baseUrl,
    async credentials(): Promise<Credentials> {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const headers = { ...stringHeaders(options), ...basicAuth(options) };
      // A proxy needs the agent that client-node makes for it; without one ours, which keeps connections alive.
      if (agent === undefined) return { agent: options.agent as Credentials['agent'], headers };
      const wanted = tlsOptionsOf(options);
      if (!isDeepStrictEqual(wanted, tls)) {
        tls = wanted;
        agent = makeAgent(baseUrl, wanted);
      }
      return { agent, headers };
    },
    renew() {
      config = load();
    },
    close() {
      agent?.destroy();
    },
  };
}

function tlsOptionsOf(options: RequestOptions): TlsOptions {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function stringHeaders({ headers }: RequestOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

function basicAuth({ auth }: RequestOptions): Record<string, string> {
  return typeof auth === 'string' ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
}
