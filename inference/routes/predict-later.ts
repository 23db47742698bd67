// POST /predict where the answer takes longer than a turn of the event loop: the model answers from another thread, or the answer is to be explained.
import { ModelInputError } from '../model/errors.ts';
import type { OutputName, Remote } from '../model/model.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
import type { Counts } from '../monitoring/counts.ts';
import { type Explanation, contributionsOf, explainerOf, explanationOf } from './explanation.ts';
import { counted } from './models.ts';
import {
  answersIn,
  inPythonWords,
  rowIn,
  surroundingsOf,
  told,
  withoutModel,
  withoutProbabilities,
} from './predict.ts';
import type { Surroundings } from './predict.ts';
import { naming, refusal } from './prediction.ts';

export interface Asked {
  readonly body: Uint8Array | undefined;
  readonly contentType: string | undefined;
  /** Say why, too. */
  readonly explain?: boolean;
}

/** As `Predict`, for every model. */
export type PredictLater = (asked: Asked, use: (served: ServedModel) => void) => Promise<string>;

/** The prediction, counted when all of it is there. */
export function laterPredictor(slot: ServingSlot, counts: Counts): PredictLater {
  const around = surroundingsOf(slot, counts);
  return (asked, use) =>
    counted({ counts }, async () => {
      let served: ServedModel | undefined;
      try {
        return await predict(around, asked, (used) => use((served = used)));
      } catch (error) {
        throw inPythonWords(refusal(error), served);
      }
    });
}

async function predict(around: Surroundings, asked: Asked, use: (served: ServedModel) => void): Promise<string> {
  const { body, contentType, explain = false } = asked;
  const start = performance.now();
  const served = around.slot.current;
  if (served === undefined) throw withoutModel(body, contentType);
  use(served);
  const row = rowIn(served, body, contentType).slice(); // others write theirs while this one waits
  const ready = performance.now();
  const { remote } = served.model;
  const answers = remote === undefined ? answersIn(served, row) : await answersFrom(remote, served, row);
  const answered = performance.now();
  const explaining = explain ? explained(served, row, answers) : undefined;
  const json = told(around, { served, row, answers, start, ready, answered });
  if (explaining === undefined) return json;
  return `${json.slice(0, -1)},"explanation":${JSON.stringify(await explaining)}}`;
}

async function answersFrom(remote: Remote, served: ServedModel, row: Float64Array): Promise<Float64Array> {
  const output = outputFor(served);
  const letGo = remote.hold();
  try {
    return await remote.run(output, row, 1);
  } catch (error) {
    throw error instanceof ModelInputError ? naming(error, row, served.schema.features) : error;
  } finally {
    letGo();
  }
}

/** Probabilities where the model has them. A basket is answered from nothing else: throws HttpError 400. */
function outputFor({ model, preprocessing }: ServedModel): OutputName {
  if (model.predictProba !== undefined) return 'predict_proba';
  if (preprocessing === undefined) throw withoutProbabilities(model);
  return 'predict';
}

/** Throws HttpError 400 at once where the model cannot be explained. */
function explained(served: ServedModel, row: Float64Array, answers: Float64Array): Promise<Explanation> {
  const { model, decision } = served;
  const [answer = 0] = answers;
  const column = model.predictProba ? decision.choose(answers) : model.task === 'classifier' ? answer : 0;
  const found = contributionsOf(explainerOf(served), { values: row, count: 1 });
  return found.then((contributions) => explanationOf(served, contributions, column, decision.labels));
}
