// One pass over one resource, as its steps hand it on: whom it is about, what it works with, and when it has to end.
import type { Deps } from './deps.ts';
import type { Spec } from './domain/model-deployment.ts';
import type { ResourceView } from './views.ts';

export interface Pass<Resource extends ResourceView = ResourceView> {
  readonly deps: Deps;
  /** `namespace/name` of the resource. */
  readonly key: string;
  readonly resource: Resource;
  readonly signal: AbortSignal;
}

/** A resource whose stored spec fits the schema. */
export type ValidResource = ResourceView & { readonly spec: Spec };
