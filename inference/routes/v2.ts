// The Open Inference Protocol (V2) over REST, versioned paths included.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';
import { outputsOf } from '../model/model.ts';
import { counted, findModel, jsonObject, run } from './models.ts';
import type { ModelsOptions } from './models.ts';
import { type Tensor, outputTensor, parseInferRequest, predictType, widthOf } from './tensor.ts';

interface Addressed {
  Params: { readonly name: string; readonly version?: string };
}

const PATHS = ['/v2/models/:name', '/v2/models/:name/versions/:version'];

export function addV2Routes(app: FastifyInstance, options: ModelsOptions): void {
  app.get('/v2', () => ({ name: 'switchyard', version: '0.1.0', extensions: [] }));
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', () => {
    if (options.slot.current === undefined || options.isLeaving()) throw new HttpError(503, 'Model not ready');
    return { live: true, ready: true }; // the protocol's text says "live" here: clients go by the status
  });
  for (const path of PATHS) {
    app.get<Addressed>(path, (request) => metadata(request, options));
    app.get<Addressed>(`${path}/ready`, (request) => {
      const { name, version } = request.params;
      findModel(request, options, name, version);
      return { name, ready: !options.isLeaving() };
    });
    app.post<Addressed>(`${path}/infer`, (request) => counted(options, () => infer(request, options)));
  }
}

function metadata(request: FastifyRequest<Addressed>, options: ModelsOptions) {
  const { name, version } = request.params;
  const { model, version: loaded, schema } = findModel(request, options, name, version);
  return {
    name,
    versions: [loaded],
    platform: 'sklearn_joblib',
    inputs: [{ name: 'input', datatype: 'FP64', shape: [-1, schema.width] }],
    outputs: outputsOf(model).map((output) => ({
      name: output,
      datatype: output === 'predict' ? predictType(model) : 'FP64',
      shape: [-1, widthOf(model, output)],
    })),
  };
}

async function infer(request: FastifyRequest<Addressed>, options: ModelsOptions) {
  const { name, version } = request.params;
  const served = findModel(request, options, name, version);
  const { model, version: loaded, schema } = served;
  const call = parseInferRequest(jsonObject(request.body), schema.width);
  const numbers = await run(options, served, call.outputs, call);
  const outputs = call.outputs.map((output): Tensor =>
    outputTensor(model, output, numbers.get(output) ?? new Float64Array(), call.count),
  );
  return {
    model_name: name,
    model_version: loaded,
    ...(call.id !== undefined && { id: call.id }),
    outputs,
  };
}
