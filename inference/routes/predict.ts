// POST /predict, the API of the Python service: a basket in, a sensitivity out; or, with expressions in metadata.json, any object in and a prediction out.
// The hot path: one pass over the body, one string out.
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { pythonTimestamps } from '../clock.ts';
import { HttpError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { indexOfMax } from '../estimators/matrix.ts';
import { ModelInputError } from '../model/errors.ts';
import type { ServedModel } from '../model/served.ts';
import type { ModelSlot } from '../model/slot.ts';
import { sendJson } from '../server.ts';
import { parseObject, parsePredictRequest } from '../validation/predict-body.ts';
import { type Explanation, contributionsOf, explainerOf, explanationOf } from './explanation.ts';
import { isRecord } from './models.ts';
import { answersTo, predictionJson, refusal } from './prediction.ts';

/** By column of the answer, not by class label. */
const SENSITIVITIES = ['Low', 'Medium', 'High'];

/** The answer to a body as JSON text; `use` is told which model gives it. Throws what `problemOf` knows to tell. */
export type Predict = (
  body: Uint8Array | undefined,
  contentType: string | undefined,
  use: (served: ServedModel) => void,
  explain?: Explain,
) => string;

/** Told what was answered. `row` is only good until the function returns. */
type Explain = (served: ServedModel, row: Float64Array, answers: Float64Array) => void;

export function addPredictRoute(app: FastifyInstance, predict: Predict): void {
  app.post('/predict', async (request, reply) => {
    const bytes = request.body instanceof Uint8Array ? request.body : undefined;
    let explanation: Promise<Explanation> | undefined;
    const explain: Explain = (...told) => {
      explanation = explained(...told);
    };
    const isAsked = isExplained(request.query);
    const use = (served: ServedModel) => (request.served = served);
    const json = predict(bytes, request.headers['content-type'], use, isAsked ? explain : undefined);
    if (explanation === undefined) return sendJson(reply, json);
    return sendJson(reply, `${json.slice(0, -1)},"explanation":${JSON.stringify(await explanation)}}`);
  });
}

/** Throws HttpError 400. */
function isExplained(query: unknown): boolean {
  const explain = isRecord(query) ? query['explain'] : undefined;
  if (explain === 'true' || explain === '1') return true;
  if (explain === undefined || explain === 'false' || explain === '0') return false;
  throw new HttpError(400, 'explain must be true or false');
}

/** Throws HttpError 400 at once where the model cannot be explained. */
function explained(served: ServedModel, row: Float64Array, answers: Float64Array): Promise<Explanation> {
  const { model, decision } = served;
  const [answer = 0] = answers;
  const column = model.predictProba ? decision.choose(answers) : model.task === 'classifier' ? answer : 0;
  const found = contributionsOf(explainerOf(served), { values: row.slice(), count: 1 });
  return found.then((contributions) => explanationOf(served, contributions, column, decision.labels));
}

interface Surroundings {
  readonly slot: ModelSlot;
  readonly metrics: Metrics;
  readonly timestamp: () => string;
}

interface Listener {
  readonly use: (served: ServedModel) => void;
  readonly explain: Explain | undefined;
}

/** The prediction, counted and timed. */
export function predictor(slot: ModelSlot, metrics: Metrics): Predict {
  const around: Surroundings = { slot, metrics, timestamp: pythonTimestamps() };
  return (body, contentType, use, explain) => {
    let served: ServedModel | undefined;
    try {
      const json = predict(around, body, contentType, { use: (used) => use((served = used)), explain });
      metrics.success();
      return json;
    } catch (error) {
      metrics.failure();
      throw inPythonWords(refusal(error), served);
    }
  };
}

function predict(
  { slot, metrics, timestamp }: Surroundings,
  bytes: Uint8Array | undefined,
  contentType: string | undefined,
  { use, explain }: Listener,
): string {
  const start = performance.now();
  const served = slot.current;
  if (served === undefined) throw withoutModel(bytes, contentType);
  use(served);
  const { preprocessing } = served;
  const row =
    preprocessing === undefined
      ? served.rowOf(bytes, contentType)
      : preprocessing.rowOf(parseObject(bytes, contentType));
  const ready = performance.now();
  const answers = preprocessing === undefined ? probabilitiesOf(served, row) : answersTo(served, row);
  const answered = performance.now();
  explain?.(served, row, answers);
  const prediction = preprocessing === undefined ? sensitivityJson(answers) : predictionJson(served, answers);
  const json =
    `{${prediction},"prediction_id":"${randomUUID()}",` +
    `"model_version":${served.versionJson},"timestamp":"${timestamp()}"}`;
  metrics.preprocess.observe((ready - start) / 1000);
  metrics.predict.observe((answered - ready) / 1000);
  const written = performance.now();
  metrics.postprocess.observe((written - answered) / 1000);
  if (served.model.predictProba !== undefined) {
    metrics.monitor.row({ served, row, now: written }, answers, served.decision.choose(answers));
  } else void metrics.monitor.rows(served, row, { predictions: answers });
  return json;
}

/** As in FastAPI, a body is checked before anything asks for the model. */
function withoutModel(bytes: Uint8Array | undefined, contentType: string | undefined): HttpError {
  parsePredictRequest(bytes, contentType);
  return new HttpError(503, 'Model not loaded');
}

function probabilitiesOf({ model }: ServedModel, row: Float64Array): Float64Array {
  if (model.predictProba !== undefined) return model.predictProba(row, 1);
  throw new HttpError(
    400,
    `${model.modelType} has no predict_proba, which /predict answers baskets from: use V1 or V2, or write preprocessing expressions`,
  );
}

function sensitivityJson(probabilities: Float64Array): string {
  const column = indexOfMax(probabilities);
  return `"sensitivity":"${SENSITIVITIES[column] ?? 'Unknown'}","confidence":${probabilities[column] ?? 0}`;
}

/** scikit-learn says more about NaN than the evaluator, which does not know the estimator's name. */
function inPythonWords(error: unknown, served: ServedModel | undefined): unknown {
  if (!(error instanceof ModelInputError) || error.message !== 'Input X contains NaN.') return error;
  return new ModelInputError(
    `${error.message}\n${served?.model.modelType ?? 'The model'} does not accept missing values encoded as NaN natively. ` +
      'For supervised learning, you might want to consider sklearn.ensemble.HistGradientBoostingClassifier and Regressor ' +
      'which accept missing values encoded as NaNs natively. Alternatively, it is possible to preprocess the data, for ' +
      'instance by using an imputer transformer in a pipeline or drop samples with missing values. See ' +
      'https://scikit-learn.org/stable/modules/impute.html You can find a list of all estimators that handle NaN values ' +
      'at the following page: https://scikit-learn.org/stable/modules/impute.html#estimators-that-handle-nan-values',
  );
}
