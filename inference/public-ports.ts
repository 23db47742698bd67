// The ports on which predictions are asked for, over HTTP and gRPC. Each serving thread has its own, on the same numbers.
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Connections } from './connections.ts';
import { grpcPort } from './grpc/port.ts';
import type { GrpcPort } from './grpc/port.ts';
import { close, listen } from './listening.ts';
import { Batches } from './model/batches.ts';
import type { Copies } from './monitoring/copies.ts';
import type { Overview } from './overview.ts';
import { createPublicApi } from './public-api.ts';
import type { ModelsOptions } from './routes/models.ts';

/** undefined: it is off. */
export interface PublicPorts {
  readonly port: number;
  readonly grpcPort?: number | undefined;
}

export type PortsConfig = Pick<
  Config,
  'host' | 'variant' | 'maxRows' | 'maxBodyBytes' | 'accessLogEvery' | 'corsOrigins' | 'allowPublicReload'
>;

export interface ServingOptions extends Omit<ModelsOptions, 'batches' | 'maxRows'> {
  readonly config: PortsConfig;
  readonly log: Logger;
  readonly connections: Connections;
  readonly copies: Pick<Copies, 'taps'>;
  readonly overview: Overview;
}

export interface Serving {
  /** Resolves to the ports that it listens on. `reusePort`: other threads listen on them too. Throws StartError. */
  listen(ports: PublicPorts, reusePort: boolean): Promise<PublicPorts>;
  /** Lets go of connections as they become idle, and cuts off what is left at the limit. */
  close(limitMs: number): Promise<void>;
}

export function servingPorts({ config, ...options }: ServingOptions): Serving {
  const { host, variant, maxRows, maxBodyBytes, accessLogEvery } = config;
  const { corsOrigins, allowPublicReload } = config;
  const common = { ...options, batches: new Batches(), maxRows, variant, maxBodyBytes, accessLogEvery };
  const api = createPublicApi({ ...common, corsOrigins, allowPublicReload });
  let grpc: GrpcPort | undefined;
  return {
    async listen(ports, reusePort) {
      const port = await listen(api, 'PORT', { host, port: ports.port, reusePort });
      if (ports.grpcPort === undefined) return { port };
      grpc = grpcPort(common);
      return { port, grpcPort: await grpc.listen({ host, port: ports.grpcPort, reusePort }) };
    },
    async close(limitMs) {
      await Promise.all([grpc?.close(limitMs), close(api, limitMs)]);
    },
  };
}
