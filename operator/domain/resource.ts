// What a plan starts from beside the observed world: the resource itself, and what the operator's configuration adds.
import type { StoreSettings } from '../../inference/contract.ts';
import type { Spec } from './model-deployment.ts';
import type { Status } from './status.ts';

export interface Resource {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly spec: Spec;
  readonly status: Status | undefined;
}

export interface PlanContext {
  readonly images: { readonly inference: string; readonly router: string; readonly operator: string };
  /** Settings of a store by its name; undefined: the configuration has no such store. */
  readonly store: (name: string) => StoreSettings | undefined;
  readonly defaultBucket: string | undefined;
  readonly defaultRegion: string | undefined;
  /** Used when the resource has no admin Secret yet. */
  readonly newToken: string;
}
