// The Open Inference Protocol (V2) over REST, versioned paths and binary tensor data included.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';
import { sendJson } from '../server.ts';
import { dividedBody, readInferRequest, writeInferAnswer } from '../tensors/infer-json.ts';
import type { Encoded } from '../tensors/infer-json.ts';
import { SERVER_METADATA, infer, modelMetadata } from './infer.ts';
import { bodyOf, breathe, counted, findModel, jsonObject } from './models.ts';
import type { ModelsOptions } from './models.ts';

interface Addressed {
  Params: { readonly name: string; readonly version?: string };
}

const PATHS = ['/v2/models/:name', '/v2/models/:name/versions/:version'];
const JSON_LENGTH = 'inference-header-content-length';

export function addV2Routes(app: FastifyInstance, options: ModelsOptions): void {
  app.get('/v2', () => SERVER_METADATA);
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', () => {
    if (options.slot.current === undefined || options.isLeaving()) throw new HttpError(503, 'Model not ready');
    return { live: true, ready: true }; // the protocol's text says "live" here: clients go by the status
  });
  for (const path of PATHS) {
    app.get<Addressed>(path, (request) => {
      const { name, version } = request.params;
      return modelMetadata(name, findModel(request, options, name, version));
    });
    app.get<Addressed>(`${path}/ready`, (request) => {
      const { name, version } = request.params;
      findModel(request, options, name, version);
      return { name, ready: !options.isLeaving() };
    });
    app.post<Addressed>(`${path}/infer`, async (request, reply) => {
      const answer = await counted(options, () => answerInfer(request, options));
      return send(reply, answer);
    });
  }
}

async function answerInfer(request: FastifyRequest<Addressed>, options: ModelsOptions): Promise<Encoded> {
  const { name, version } = request.params;
  const served = findModel(request, options, name, version);
  const body = bodyOf(request);
  const header = request.headers[JSON_LENGTH];
  const [json, tail] = dividedBody(body, typeof header === 'string' ? header : undefined);
  const call = jsonObject(json);
  await breathe(body.length);
  const { id, inputs, outputs } = readInferRequest(call, tail, options.maxRows);
  const names = outputs.map((output) => output.name);
  const tensors = await infer(options, served, inputs, names);
  await breathe(body.length);
  return writeInferAnswer({
    modelName: name,
    modelVersion: served.version,
    ...(id !== undefined && { id }),
    outputs: tensors.map((tensor, at) => ({ ...tensor, binary: outputs[at]?.binary ?? false })),
  });
}

function send(reply: FastifyReply, { body, jsonLength }: Encoded): FastifyReply {
  if (typeof body === 'string') return sendJson(reply, body);
  return reply.header(JSON_LENGTH, jsonLength).type('application/octet-stream').send(body);
}
