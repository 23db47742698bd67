// A client of inference.GRPCInferenceService as others write it: @grpc/grpc-js with the published proto.
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/proto-loader';

const PROTO = new URL('../../inference/grpc/grpc_predict_v2.proto', import.meta.url).pathname;
const DEADLINE_MS = 20_000;

export interface GrpcReply {
  /** 0 is OK; see the status codes of gRPC. */
  readonly code: number;
  readonly details: string;
  readonly message: Record<string, unknown> | undefined;
  /** Of the answer, or of the status where there is none. */
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface GrpcClient {
  call(method: string, request: object, headers?: Readonly<Record<string, string>>): Promise<GrpcReply>;
  close(): void;
}

export function grpcClient(address: string): GrpcClient {
  const definition = loadSync(PROTO, { longs: Number })['inference.GRPCInferenceService'] as ServiceDefinition;
  const client = new Client(address, credentials.createInsecure());
  return {
    close: () => client.close(),
    call(name, request, headers = {}) {
      const method = definition[name];
      if (method === undefined) throw new Error(`the proto has no ${name}`);
      const metadata = new Metadata();
      for (const [header, value] of Object.entries(headers)) metadata.set(header, value);
      const { promise, resolve } = Promise.withResolvers<GrpcReply>();
      const { path, requestSerialize, responseDeserialize } = method;
      let received = {};
      const done = (error: ServiceError | null, message?: object) => {
        const { code = 0, details = '' } = error ?? {};
        const known = { ...received, ...error?.metadata.getMap() };
        resolve({ code, details, message: message as Record<string, unknown> | undefined, headers: known });
      };
      const options = { deadline: Date.now() + DEADLINE_MS };
      client
        .makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done)
        .on('metadata', (map: Metadata) => {
          received = map.getMap();
        });
      return promise;
    },
  };
}
