// What /predict says of a model whose rows are made by expressions: the members of the answer that are about the prediction.
import { FeatureError } from '../features/errors.ts';
import { ModelInputError } from '../model/errors.ts';
import type { ServedModel } from '../model/served.ts';
import { ValidationError } from '../validation/predict-body.ts';

/** The probabilities of a row where the model has them, else its prediction. Throws ModelInputError that names the features. */
export function answersTo({ model, schema }: ServedModel, row: Float64Array): Float64Array {
  try {
    return model.predictProba?.(row, 1) ?? model.predict(row, 1);
  } catch (error) {
    throw error instanceof ModelInputError ? naming(error, row, schema.features) : error;
  }
}

/** Members of a JSON object, without its braces. */
export function predictionJson({ model, decision }: ServedModel, answers: Float64Array): string {
  const { json, choose } = decision;
  if (model.predictProba === undefined) {
    const [answer = NaN] = answers;
    return `"prediction":${model.task === 'classifier' ? (json[answer]?.value ?? 'null') : JSON.stringify(answer)}`;
  }
  const chosen = choose(answers);
  const probabilities = json.map(({ key }, column) => `${key}${answers[column] ?? 0}`);
  return (
    `"prediction":${json[chosen]?.value ?? 'null'},"confidence":${answers[chosen] ?? 0},` +
    `"probabilities":{${probabilities.join()}}`
  );
}

/** A body that gives no row is answered in FastAPI's form, and says which expression found what. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof FeatureError)) return error;
  const { place, reason, message } = error;
  return new ValidationError([
    { type: 'feature_error', loc: ['body'], msg: message, input: {}, ctx: { error: reason, feature: place } },
  ]);
}

/** The error with the features to blame: scikit-learn says only that there is NaN or infinity somewhere. */
export function naming(error: ModelInputError, row: Float64Array, names: readonly string[]): ModelInputError {
  const isBlamed = error.message.includes('NaN')
    ? Number.isNaN
    : (value: number) => !Number.isFinite(Math.fround(value));
  const blamed = names.filter((_, column) => isBlamed(row[column] ?? 0));
  return blamed.length === 0
    ? error
    : new ModelInputError(`${error.message} Features: ${blamed.slice(0, 20).join(', ')}`, { cause: error });
}
