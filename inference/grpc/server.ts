// gRPC on connections that somebody else has accepted: the calls of the inference protocol, their headers, statuses and log lines.
import type { Socket } from 'node:net';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ConnectionInjector, sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { accessLog } from '../access-log.ts';
import type { AccessLogOptions } from '../access-log.ts';
import { systemClock } from '../clock.ts';
import { versionHeaderOf } from '../model/reported.ts';
import { headerSafe } from '../model/served.ts';
import type { ServedModel } from '../model/served.ts';
import type { Copies } from '../monitoring/copies.ts';
import { offerCopies } from '../monitoring/exchange.ts';
import { logProblem } from '../problems.ts';
import { logFields, requestIds, traceOf } from '../request-id.ts';
import type { ModelsOptions } from '../routes/models.ts';
import { asRest } from './copies.ts';
import type { Ended } from './copies.ts';
import { refuseLateRequests } from './late-requests.ts';
import { INFER, SERVICE, methodsOf } from './service.ts';
import type { Method } from './service.ts';
import { grpcProblem } from './status.ts';

export interface GrpcOptions extends ModelsOptions, AccessLogOptions {
  readonly variant: string;
  readonly maxBodyBytes: number;
  readonly copies: Pick<Copies, 'taps'>;
  /** Longest time for a request to arrive; default: 30 s, as over HTTP. */
  readonly requestMs?: number;
}

export interface GrpcServer {
  /** Speaks gRPC on a connection. */
  take(socket: Socket): void;
  /** GOAWAY to the connections of now: what is under way on them is answered. */
  drain(): void;
  /** Ends all of them at once. */
  end(): void;
}

const REQUEST_MS = 30_000;
/** A peer that does not answer a ping is gone: its connection need not stay. */
const PING_MS = 60_000;
const MAX_STREAMS = 256;

type Call = ServerUnaryCall<Buffer, Uint8Array>;

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  const sockets = new Map<string, Socket>();
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBodyBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': PING_MS,
    'grpc.enable_channelz': 0,
    interceptors: [refuseLateRequests(options.requestMs ?? REQUEST_MS, (peer) => sockets.get(peer)?.destroy())],
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
  const inject = (): ConnectionInjector => server.createConnectionInjector(ServerCredentials.createInsecure());
  let injector = inject();
  return {
    take(socket) {
      const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
      sockets.set(peer, socket);
      socket.once('close', () => sockets.delete(peer));
      injector.injectConnection(socket);
    },
    drain() {
      injector.destroy();
      // Those that come later are served by another one.
      injector = inject();
    },
    end: () => server.forceShutdown(),
  };
}

/** Runs a method and answers its call, with the headers that every answer has. */
function answering({ slot, variant, log, copies, ...options }: GrpcOptions) {
  const newRequestId = requestIds();
  const logLine = accessLog({ log, ...options });
  const variantHeader = headerSafe(variant);
  return async (name: string, method: Method, call: Call, done: sendUnaryData<Uint8Array>): Promise<void> => {
    const start = performance.now();
    const requestId = newRequestId(call.metadata.get('x-request-id')[0]);
    const trace = traceOf(call.metadata.get('traceparent')[0]);
    const fields = { ...logFields(requestId, trace), route: `/${SERVICE}/${name}` };
    let served: ServedModel | undefined;
    let outcome: Ended['outcome'] = [];
    const headers = (): Metadata => {
      const metadata = new Metadata();
      metadata.set('x-model-variant', variantHeader);
      metadata.set('x-model-version', versionHeaderOf(served, slot));
      metadata.set('x-request-id', requestId);
      if (trace !== undefined) metadata.set('traceparent', trace.header);
      return metadata;
    };
    let code = status.OK;
    try {
      const response = await method(call.request, {
        use: (model) => (served = model),
        inferred: (outputs) => (outcome = outputs),
      });
      call.sendMetadata(headers());
      done(null, response);
    } catch (error) {
      const problem = grpcProblem(error);
      ({ code } = problem);
      outcome = { problem };
      if (problem.status >= 500) logProblem(log, error, fields);
      done({ code, details: problem.details, metadata: headers() });
    }
    if (name === INFER) offerCopies(copies.taps, () => asRest(call, { requestId, served, outcome }), systemClock);
    logLine?.(() => ({ ...fields, status: code, ms: performance.now() - start }));
  };
}
