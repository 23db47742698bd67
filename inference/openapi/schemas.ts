// JSON Schemas (2020-12, as OpenAPI 3.1 has them) of what the public port takes and answers, whatever the model. A test holds real answers against them.
import * as z from 'zod';
import { ModelInfo } from '../contract.ts';
import { OUTPUTS } from '../model/model.ts';
import { DATATYPES } from '../tensors/datatype.ts';
import { EXPLANATIONS } from '../tensors/outputs.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const number = { type: 'number' };
const flag = { type: 'boolean' };
const texts = { type: 'array', items: text };
const label = { type: ['string', 'number', 'boolean'] };

type Properties = Readonly<Record<string, JsonSchema>>;

/** An object with these properties, and perhaps the others. */
export function record(properties: Properties, others: Properties = {}): JsonSchema {
  const required = Object.keys(properties);
  return { type: 'object', properties: { ...properties, ...others }, ...(required.length > 0 && { required }) };
}

const shape = { type: 'array', items: { type: 'integer' }, description: '-1: any number of rows' };
const parameters = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } };
const datatype = { type: 'string', enum: [...DATATYPES] };
const tensorMetadata = record({ name: text, datatype, shape });
const data = { type: 'array', description: 'row-major, flat or as a list of rows; null is a missing value' };

const inputTensor = record(
  {
    name: { type: 'string', description: 'of a feature, where there is a tensor for each column; else anything' },
    shape: { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1, maxItems: 2 },
    datatype,
  },
  { data, parameters: { ...parameters, description: 'binary_data_size: the data is that many bytes behind the JSON' } },
);

const requestedOutput = record(
  { name: { type: 'string', enum: [...OUTPUTS, ...EXPLANATIONS] } },
  { parameters: { ...parameters, description: 'binary_data: true sends it as bytes behind the JSON' } },
);

const outputTensor = record({ name: text, shape, datatype }, { parameters, data });

const basketItem = record({}, { product_id: text, quantity: number, price: number, category: text });

const issue = record({ type: text, loc: { type: 'array', items: { type: ['string', 'integer'] } }, msg: text });

const explanation = record(
  {
    output: { type: 'string', enum: ['probability', 'margin', 'value'] },
    expected_value: number,
    contributions: { type: 'object', additionalProperties: number, description: 'by feature' },
  },
  { class: label },
);

/** Of the prediction, beside what is said about it. */
const answered = {
  prediction_id: { type: 'string', format: 'uuid' },
  model_version: text,
  timestamp: { type: 'string', description: 'ISO 8601 in UTC, without a zone' },
};

/** Where the address has `?explain=true`. */
const explained = { explanation: ref('Explanation') };

const OF_EVERY_MODEL: Readonly<Record<string, JsonSchema>> = {
  Welcome: record({ message: text, version: text, status: { const: 'running' } }),
  Alive: record({ status: { const: 'alive' } }),
  Health: record({ status: { const: 'healthy' }, timestamp: text, version: text, model_loaded: { const: true } }),
  Ready: record({ status: { const: 'ready' } }),
  Reloading: record({ message: text }),
  Basket: record(
    { basket_items: { type: 'object', additionalProperties: basketItem, description: 'item id → item' } },
    { customer_id: textOrNull, store_id: textOrNull, timestamp: { type: ['string', 'number', 'null'] } },
  ),
  Sensitivity: record(
    {
      sensitivity: { type: 'string', enum: ['Low', 'Medium', 'High', 'Unknown'] },
      confidence: number,
      ...answered,
    },
    explained,
  ),
  Prediction: record(
    { prediction: label, ...answered },
    { confidence: number, probabilities: { type: 'object', additionalProperties: number }, ...explained },
  ),
  Explanation: explanation,
  V1Models: record({ models: texts }),
  V1Model: record({ name: text, ready: flag }),
  V1Predictions: record(
    { predictions: { type: 'array', items: label } },
    { explanations: { type: 'array', items: ref('Explanation'), description: 'of :explain' } },
  ),
  V2Server: record({ name: text, version: text, extensions: texts }),
  V2Live: record({ live: flag }),
  V2Ready: record({ live: flag, ready: flag }),
  V2Model: record({
    name: text,
    versions: texts,
    platform: text,
    inputs: { type: 'array', items: tensorMetadata },
    outputs: { type: 'array', items: tensorMetadata },
  }),
  V2ModelReady: record({ name: text, ready: flag }),
  V2InferRequest: record(
    { inputs: { type: 'array', items: inputTensor, minItems: 1 } },
    {
      id: text,
      parameters: { ...parameters, description: 'binary_data_output: true sends every output as bytes' },
      outputs: { type: 'array', items: requestedOutput, description: 'default: predict alone' },
    },
  ),
  V2InferAnswer: record(
    { model_name: text, model_version: text, outputs: { type: 'array', items: outputTensor } },
    { id: text },
  ),
  Detail: record({ detail: text }),
  ValidationProblem: record({ detail: { type: 'array', items: issue } }),
  ProtocolError: record({ error: text }),
  Problem: record({ error: text, details: {}, request_id: text }),
};

/** By name, for `components`. */
export function schemas(): Readonly<Record<string, JsonSchema>> {
  // Of the contract with the operator; the admin port says more.
  return { ...OF_EVERY_MODEL, ModelInfo: z.toJSONSchema(ModelInfo.omit({ failure: true, loading: true })) };
}
