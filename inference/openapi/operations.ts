// What each route of the public port does, takes and answers. The document lists the routes that there are; a test sees that none lacks its entry.
import { isBasketFeature } from '../features/basket.ts';
import type { ServedModel } from '../model/served.ts';
import { exampleBasket, exampleInputs, exampleInstance } from './examples.ts';
import { type JsonSchema, record, ref } from './schemas.ts';

export interface Content {
  /** Default: application/json. */
  readonly type?: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface Operation {
  readonly tag: 'Service' | 'Predict' | 'V1' | 'V2';
  readonly summary: string;
  /** Where the path is not simply that of the route. */
  readonly path?: string;
  /** What may stand behind the address: true or false. */
  readonly flags?: readonly string[];
  readonly request?: Content;
  readonly answer: Content;
  /** Problems by status: the name of their schema. */
  readonly problems?: Readonly<Record<number, string>>;
}

/** Above this many features a document would be longer than anybody reads. */
const MAX_LISTED = 500;
const plain = (schema: string, example?: unknown): Content => ({
  schema: ref(schema),
  ...(example !== undefined && { example }),
});
const text = (type: string): Content => ({ type, schema: { type: 'string' } });

/** By method and address of the route; omitted: it is there, and makes no sense for this model. */
type Operations = Readonly<Record<string, Operation | 'omitted'>>;

/** `served`: the model whose features and examples are shown. */
export function operations(served: ServedModel | undefined): Operations {
  return { ...service(), ...predict(served), ...v1(served), ...v2(served) };
}

function service(): Operations {
  const unloaded = { 503: 'Detail' };
  return {
    'GET /': { tag: 'Service', summary: 'Name and version of this API', answer: plain('Welcome') },
    'GET /live': { tag: 'Service', summary: 'The process answers', answer: plain('Alive') },
    'GET /health': { tag: 'Service', summary: 'A model is loaded', answer: plain('Health'), problems: unloaded },
    'GET /ready': { tag: 'Service', summary: 'Traffic is welcome', answer: plain('Ready'), problems: unloaded },
    'GET /metrics': { tag: 'Service', summary: 'Metrics for Prometheus', answer: text('text/plain') },
    'GET /openapi.json': {
      tag: 'Service',
      summary: 'This description',
      answer: { schema: { type: 'object' } },
    },
    'GET /docs': { tag: 'Service', summary: 'This description as a page', answer: text('text/html') },
    'GET /model/info': {
      tag: 'Service',
      summary: 'The loaded model: version, features, metrics, artifact',
      answer: plain('ModelInfo'),
      problems: unloaded,
    },
    'GET /model/shadow': {
      tag: 'Service',
      summary: 'How far this variant agrees with those that get copies of its requests',
      answer: { schema: { type: 'object' } },
    },
    'POST /model/reload': {
      tag: 'Service',
      summary: 'Begins to load the model again; what came of it is in /model/info',
      answer: plain('Reloading'),
    },
  };
}

function predict(served: ServedModel | undefined): Operations {
  const problems = { 400: 'Detail', 422: 'ValidationProblem', 500: 'Detail', 503: 'Detail' };
  const declared: Operation = {
    tag: 'Predict',
    summary: 'Predicts from a JSON object, by the expressions of metadata.json',
    request: { schema: { type: 'object' } },
    answer: plain('Prediction'),
    flags: ['explain'],
    problems,
  };
  const basket: Operation = {
    tag: 'Predict',
    summary: 'Predicts the price sensitivity of a basket',
    request: plain('Basket', exampleBasket()),
    answer: plain('Sensitivity'),
    flags: ['explain'],
    problems,
  };
  if (served?.preprocessing !== undefined) return { 'POST /predict': declared };
  const names = served?.schema.features ?? [];
  const isOfBaskets = names.length === 0 || names.some(isBasketFeature);
  return { 'POST /predict': isOfBaskets ? basket : 'omitted' };
}

function v1(served: ServedModel | undefined): Operations {
  const problems = { 404: 'ProtocolError', 503: 'ProtocolError' };
  const example = served && { instances: [exampleInstance(served)] };
  const instances = { type: 'array', items: served === undefined ? {} : { anyOf: instanceOf(served) } };
  return {
    'GET /v1/models': { tag: 'V1', summary: 'The one model that is served', answer: plain('V1Models') },
    'GET /v1/models/:name': { tag: 'V1', summary: 'Whether it is ready', answer: plain('V1Model'), problems },
    'POST /v1/models/:name': {
      tag: 'V1',
      path: '/v1/models/{name}:predict',
      summary: 'Predicts for rows, given as lists or as objects by feature; {name}:explain does, and explains',
      request: { schema: record({ instances }), ...(example && { example }) },
      answer: plain('V1Predictions'),
      problems: { 400: 'ProtocolError', ...problems, 501: 'ProtocolError' },
    },
  };
}

/** A row as a list, and as an object where the features have names. */
function instanceOf({ model, schema: { features, width } }: ServedModel): readonly JsonSchema[] {
  const list = {
    type: 'array',
    items: { type: ['number', 'string', 'boolean', 'null'] },
    minItems: width,
    maxItems: width,
  };
  if (features.length !== width || width > MAX_LISTED) return [list];
  const cell = (column: number): JsonSchema => ({
    type: model.texts.has(column) ? ['string', 'null'] : ['number', 'boolean', 'null'],
  });
  const isUnused = (column: number) => model.unused?.has(column) === true;
  const cells = features.map((name, column) => ({ name, column }));
  const read = cells.filter(({ column }) => !isUnused(column)).map(({ name, column }) => [name, cell(column)] as const);
  const unread = cells.filter(({ column }) => isUnused(column)).map(({ name }) => [name, {}] as const);
  return [list, record(Object.fromEntries(read), Object.fromEntries(unread))];
}

function v2(served: ServedModel | undefined): Operations {
  const problems = { 404: 'ProtocolError', 503: 'ProtocolError' };
  const example = served && { inputs: exampleInputs(served) };
  const model: Operation = {
    tag: 'V2',
    summary: 'Inputs and outputs of the model',
    answer: plain('V2Model'),
    problems,
  };
  const ready: Operation = { tag: 'V2', summary: 'Whether it is ready', answer: plain('V2ModelReady'), problems };
  const infer: Operation = {
    tag: 'V2',
    summary: 'Infers from tensors; also as binary data, with Inference-Header-Content-Length',
    request: plain('V2InferRequest', example),
    answer: plain('V2InferAnswer'),
    problems: { 400: 'ProtocolError', ...problems },
  };
  return {
    'GET /v2': { tag: 'V2', summary: 'The server and its extensions', answer: plain('V2Server') },
    'GET /v2/health/live': { tag: 'V2', summary: 'The process answers', answer: plain('V2Live') },
    'GET /v2/health/ready': {
      tag: 'V2',
      summary: 'Traffic is welcome',
      answer: plain('V2Ready'),
      problems: { 503: 'ProtocolError' },
    },
    'GET /v2/models/:name': model,
    'GET /v2/models/:name/ready': ready,
    'POST /v2/models/:name/infer': infer,
    'GET /v2/models/:name/versions/:version': model,
    'GET /v2/models/:name/versions/:version/ready': ready,
    'POST /v2/models/:name/versions/:version/infer': infer,
  };
}
