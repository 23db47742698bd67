// POST /predict, the API of the Python service: a basket in, a sensitivity out; or, with expressions in metadata.json, any object in and a prediction out.
// The hot path: one pass over the body, one string out.
import { pythonTimestamps } from '../clock.ts';
import { HttpError } from '../errors.ts';
import { indexOfMax } from '../estimators/matrix.ts';
import { ModelInputError } from '../model/errors.ts';
import type { Model } from '../model/model.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
import type { Counts } from '../monitoring/counts.ts';
import { predictionIds } from '../prediction-id.ts';
import { parseObject, parsePredictRequest } from '../validation/predict-body.ts';
import { answersTo, predictionJson, refusal } from './prediction.ts';

/** By column of the answer, not by class label. */
const SENSITIVITIES = ['Low', 'Medium', 'High'];

/**
 * The answer to a body as JSON text, of a model that answers in this thread; `use` is told which model gives it. Throws what `problemOf` knows to tell.
 */
export type Predict = (
  body: Uint8Array | undefined,
  contentType: string | undefined,
  use: (served: ServedModel) => void,
) => string;

export interface Surroundings {
  readonly slot: ServingSlot;
  readonly counts: Counts;
  readonly timestamp: () => string;
  readonly newPredictionId: () => string;
}

/** A row and what a model answered to it; the times by `performance.now()`. */
export interface Answered {
  readonly served: ServedModel;
  readonly row: Float64Array;
  readonly answers: Float64Array;
  /** When the request was begun, when its row was ready, and when the model had answered. */
  readonly start: number;
  readonly ready: number;
  readonly answered: number;
}

export function surroundingsOf(slot: ServingSlot, counts: Counts): Surroundings {
  return { slot, counts, timestamp: pythonTimestamps(), newPredictionId: predictionIds() };
}

/** The prediction, counted and timed. */
export function predictor(slot: ServingSlot, counts: Counts): Predict {
  const around = surroundingsOf(slot, counts);
  return (body, contentType, use) => {
    let served: ServedModel | undefined;
    try {
      const json = predict(around, body, contentType, (used) => use((served = used)));
      counts.success();
      return json;
    } catch (error) {
      counts.failure();
      throw inPythonWords(refusal(error), served);
    }
  };
}

function predict(
  around: Surroundings,
  bytes: Uint8Array | undefined,
  contentType: string | undefined,
  use: (served: ServedModel) => void,
): string {
  const start = performance.now();
  const served = around.slot.current;
  if (served === undefined) throw withoutModel(bytes, contentType);
  use(served);
  const row = rowIn(served, bytes, contentType);
  const ready = performance.now();
  const answers = answersIn(served, row);
  return told(around, { served, row, answers, start, ready, answered: performance.now() });
}

/** The row of a body; the array is reused by the next call. */
export function rowIn(
  { preprocessing, rowOf }: ServedModel,
  bytes: Uint8Array | undefined,
  contentType: string | undefined,
): Float64Array {
  return preprocessing === undefined ? rowOf(bytes, contentType) : preprocessing.rowOf(parseObject(bytes, contentType));
}

/** What a model of this thread answers to a row. */
export function answersIn(served: ServedModel, row: Float64Array): Float64Array {
  return served.preprocessing === undefined ? probabilitiesOf(served, row) : answersTo(served, row);
}

/** The answer as JSON. Metrics and whoever watches the model are told of it. */
export function told({ counts, timestamp, newPredictionId }: Surroundings, told: Answered): string {
  const { served, row, answers, start, ready, answered } = told;
  const prediction = served.preprocessing === undefined ? sensitivityJson(answers) : predictionJson(served, answers);
  const json =
    `{${prediction},"prediction_id":"${newPredictionId()}",` +
    `"model_version":${served.versionJson},"timestamp":"${timestamp()}"}`;
  counts.preprocess.observe((ready - start) / 1000);
  counts.predict.observe((answered - ready) / 1000);
  const written = performance.now();
  counts.postprocess.observe((written - answered) / 1000);
  if (served.model.predictProba !== undefined) {
    counts.monitor.row({ served, row, now: written }, answers, served.decision.choose(answers));
  } else void counts.monitor.rows(served, row, { predictions: answers });
  return json;
}

/** As in FastAPI, a body is checked before anything asks for the model. */
export function withoutModel(bytes: Uint8Array | undefined, contentType: string | undefined): HttpError {
  parsePredictRequest(bytes, contentType);
  return new HttpError(503, 'Model not loaded');
}

function probabilitiesOf({ model }: ServedModel, row: Float64Array): Float64Array {
  if (model.predictProba !== undefined) return model.predictProba(row, 1);
  throw withoutProbabilities(model);
}

export function withoutProbabilities({ modelType }: Pick<Model, 'modelType'>): HttpError {
  return new HttpError(
    400,
    `${modelType} has no predict_proba, which /predict answers baskets from: use V1 or V2, or write preprocessing expressions`,
  );
}

function sensitivityJson(probabilities: Float64Array): string {
  const column = indexOfMax(probabilities);
  return `"sensitivity":"${SENSITIVITIES[column] ?? 'Unknown'}","confidence":${probabilities[column] ?? 0}`;
}

/** scikit-learn says more about NaN than the evaluator, which does not know the estimator's name. */
export function inPythonWords(error: unknown, served: ServedModel | undefined): unknown {
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
