// The public port for gRPC. The sockets are ours, so that they can be counted and drained like those of HTTP; what is spoken on them is up to grpc-js.
import { createServer } from 'node:net';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ConnectionInjector, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { accessLog } from '../access-log.ts';
import type { AccessLogOptions } from '../access-log.ts';
import type { Connections } from '../connections.ts';
import { headerSafe } from '../model/served.ts';
import type { ServedModel } from '../model/served.ts';
import { logProblem } from '../problems.ts';
import { logFields, requestIds, traceOf } from '../request-id.ts';
import type { ModelsOptions } from '../routes/models.ts';
import { portFailure } from '../start-error.ts';
import { refuseLateRequests } from './late-requests.ts';
import { SERVICE, methodsOf } from './service.ts';
import type { Method } from './service.ts';
import { grpcProblem } from './status.ts';

export interface GrpcOptions extends ModelsOptions, AccessLogOptions {
  readonly variant: string;
  readonly maxBodyBytes: number;
  readonly connections: Connections;
}

export interface GrpcApi {
  /** Resolves to the port that it listens on. Throws StartError. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no further connection, lets calls end, and cuts off what is left at the limit. */
  close(limitMs: number): Promise<void>;
}

const REQUEST_MS = 30_000;
/** A peer that does not answer a ping is gone: its connection need not stay. */
const PING_MS = 60_000;
const MAX_STREAMS = 256;

type Call = ServerUnaryCall<Buffer, Uint8Array>;

export function createGrpcApi(options: GrpcOptions): GrpcApi {
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBodyBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': PING_MS,
    'grpc.enable_channelz': 0,
    interceptors: [refuseLateRequests(REQUEST_MS)],
  });
  const answer = answering(options);
  for (const [name, method] of methodsOf(options)) {
    server.register<Buffer, Uint8Array>(
      `/${SERVICE}/${name}`,
      (call: Call, done: sendUnaryData<Uint8Array>) => void answer(name, method, call, done),
      (message) => Buffer.from(message.buffer, message.byteOffset, message.byteLength),
      (message) => message,
      'unary',
    );
  }
  return opened(server, options.connections);
}

function opened(server: Server, connections: Connections): GrpcApi {
  const inject = (): ConnectionInjector => server.createConnectionInjector(ServerCredentials.createInsecure());
  let injector = inject();
  const sockets = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
  connections.trackSockets(sockets, () => {
    // GOAWAY to the connections of now; those that come later are served by another injector.
    injector.destroy();
    injector = inject();
  });
  return {
    async listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      sockets.once('error', (error) => reject(portFailure('GRPC_PORT', host, port, error)));
      sockets.listen({ host, port }, () => resolve(undefined));
      await promise;
      const address = sockets.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    async close(limitMs) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      sockets.close(() => resolve(undefined));
      injector.destroy();
      const limit = setTimeout(() => server.forceShutdown(), limitMs);
      await promise;
      clearTimeout(limit);
      server.forceShutdown();
    },
  };
}

/** Runs a method and answers its call, with the headers that every answer has. */
function answering({ slot, variant, log, ...options }: GrpcOptions) {
  const newRequestId = requestIds();
  const logLine = accessLog({ log, ...options });
  const variantHeader = headerSafe(variant);
  return async (name: string, method: Method, call: Call, done: sendUnaryData<Uint8Array>): Promise<void> => {
    const start = performance.now();
    const requestId = newRequestId(call.metadata.get('x-request-id')[0]);
    const trace = traceOf(call.metadata.get('traceparent')[0]);
    const fields = { ...logFields(requestId, trace), route: `/${SERVICE}/${name}` };
    let served: ServedModel | undefined;
    const headers = (): Metadata => {
      const metadata = new Metadata();
      metadata.set('x-model-variant', variantHeader);
      metadata.set('x-model-version', (served ?? slot.current)?.versionHeader ?? 'none');
      metadata.set('x-request-id', requestId);
      if (trace !== undefined) metadata.set('traceparent', trace.header);
      return metadata;
    };
    let code = status.OK;
    try {
      const response = await method(call.request, (model) => {
        served = model;
      });
      call.sendMetadata(headers());
      done(null, response);
    } catch (error) {
      const problem = grpcProblem(error);
      ({ code } = problem);
      if (problem.status >= 500) logProblem(log, error, fields);
      done({ code, details: problem.details, metadata: headers() });
    }
    logLine?.(() => ({ ...fields, status: code, ms: performance.now() - start }));
  };
}
