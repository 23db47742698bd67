// The V1 protocol of KServe and TensorFlow Serving: {"instances": rows} in, {"predictions": labels} out.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';
import type { ServedModel } from '../model/served.ts';
import { cellOf } from '../features/cell.ts';
import type { Rows } from '../model/batches.ts';
import { answersOf } from '../tensors/outputs.ts';
import { contributionsOf, explainerOf, explanationOf } from './explanation.ts';
import { bodyOf, counted, findModel, isRecord, jsonObject, run } from './models.ts';
import type { ModelsOptions } from './models.ts';

/** Between so many cells others get their turn. */
const CELLS_AT_ONCE = 32_768;

interface Named {
  Params: { readonly name: string };
}

export function addV1Routes(app: FastifyInstance, options: ModelsOptions): void {
  app.get('/v1/models', () => ({ models: [options.modelName()] }));
  app.get<Named>('/v1/models/:name', (request) => {
    findModel(request, options, request.params.name);
    return { name: options.modelName(), ready: !options.isLeaving() };
  });
  // The router takes ":predict" for a parameter: so the verb is split off here.
  app.post<Named>('/v1/models/:name', (request) =>
    counted(options, async () => {
      const [, name = '', verb] = /^(.*):([a-z]+)$/su.exec(request.params.name) ?? [];
      if (verb === 'explain') return explain(request, options, findModel(request, options, name));
      if (verb !== 'predict') throw new HttpError(404, 'POST /v1/models/NAME:predict and :explain are the only calls');
      const served = findModel(request, options, name);
      const rows = await rowsOf(jsonObject(bodyOf(request))['instances'], served, options.maxRows);
      const outputs = await run(options, served, ['predict'], rows);
      return { predictions: [...answersOf(served.model, outputs.get('predict') ?? new Float64Array())] };
    }),
  );
}

/** Predictions as :predict gives them, each with what the features contributed to it. */
async function explain({ body }: FastifyRequest, options: ModelsOptions, served: ServedModel) {
  const explainer = explainerOf(served, 501);
  const rows = await rowsOf(jsonObject(body)['instances'], served, options.maxRows);
  const found = await contributionsOf(explainer, rows);
  const predictions = (await run(options, served, ['predict'], rows)).get('predict') ?? new Float64Array();
  const { classes } = served.model;
  const width = served.schema.width * explainer.outputs;
  const explanations = Array.from(predictions, (prediction, at) => {
    const column = classes.length > 0 ? prediction : 0;
    return explanationOf(served, found.subarray(at * width, (at + 1) * width), column, classes);
  });
  return { predictions: [...answersOf(served.model, predictions)], explanations };
}

/** Instances are rows of numbers, or objects that name every feature. Throws HttpError 400. */
async function rowsOf(instances: unknown, served: ServedModel, maxRows: number): Promise<Rows> {
  if (!Array.isArray(instances)) throw new HttpError(400, 'instances must be a list of rows');
  if (instances.length > maxRows) throw new HttpError(400, `at most ${maxRows} instances in one request`);
  const rowsAtOnce = Math.ceil(CELLS_AT_ONCE / served.schema.width);
  // Memory is taken row by row: how many there are is only what the client says.
  const cells: number[] = [];
  for (const [at, instance] of instances.entries()) {
    for (const cell of rowOf(instance, served, at)) cells.push(cell);
    if ((at + 1) % rowsAtOnce === 0) await nextTurn();
  }
  return { values: Float64Array.from(cells), count: instances.length };
}

function rowOf(instance: unknown, { model, schema: { features, width } }: ServedModel, at: number): number[] {
  const row: unknown = isRecord(instance) ? features.map((name) => own(instance, name)) : instance;
  const cells =
    Array.isArray(row) && row.length === width ? row.map((value, column) => cellOf(model, column, value)) : [];
  const numbers = cells.filter((cell) => cell !== undefined);
  if (numbers.length === width) return numbers;
  const named = features.length === width ? `, or an object with ${features.slice(0, 20).join(', ')}` : '';
  const inText = [...model.texts.keys()].slice(0, 20).map((column) => features[column] ?? column);
  const texts = inText.length === 0 ? '' : ` (text in column ${inText.join(', ')})`;
  throw new HttpError(400, `instance ${at} must be a list of ${width} numbers${texts}${named}`);
}

function own(instance: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(instance, name) ? instance[name] : undefined;
}
