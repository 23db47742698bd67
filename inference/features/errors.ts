// Why a body gives no row. Apart from preprocessing.ts, which brings the expression language with it.

/** An expression could not be computed from this body. */
export class FeatureError extends Error {
  override readonly name = 'FeatureError';
  /** Where it stands below `preprocessing` in metadata.json, such as "features.total_items". */
  readonly place: string;
  readonly reason: string;

  constructor(place: string, reason: string, options?: ErrorOptions) {
    super(`${place}: ${reason}`, options);
    this.place = place;
    this.reason = reason;
  }
}
