// The two ways in which a model can say no: its file is not usable, or a row is not.
import type { ARTIFACT_REASONS } from '../contract.ts';

/** Why a model file was refused; a subset of the artifact reasons of the admin contract. */
export type ModelErrorReason = Extract<
  (typeof ARTIFACT_REASONS)[number],
  'UnsupportedModel' | 'LoadFailed' | 'ArtifactTooLarge'
>;

/** The model file cannot be used, and a second attempt cannot help. The message names class or offset, and the way out. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly reason: ModelErrorReason;

  constructor(reason: ModelErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A row that scikit-learn would refuse with a ValueError: NaN where the model takes none, infinity, a wrong length. */
export class ModelInputError extends Error {
  override readonly name = 'ModelInputError';
}
