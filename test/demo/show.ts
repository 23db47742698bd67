// What the steps of the demo share.
import type { OnProgress } from '../progress.ts';
import type { Expectation } from '../load/contract.ts';
import type { Load } from '../load/load.ts';
import type { Claims } from './claims.ts';
import type { LogFollower } from './log-follower.ts';
import type { Target } from './reload.ts';
import type { Stage } from './stage.ts';

export interface Limits {
  /** From the List that first saw a change until every pod has it, p50. */
  readonly reloadMs: number;
  /** From an upload until the next List is sent: pollInterval of the example, with the poller's jitter. */
  readonly nextListMs: number;
}

export interface Show {
  readonly stage: Stage;
  readonly claims: Claims;
  readonly onProgress: OnProgress;
  readonly load: Load;
  readonly logs: LogFollower;
  readonly limits: Limits;
  /** What the load holds answers to; changed by {@link expectNow}. */
  expectation: Expectation;
  /** Model pods that a step has deleted on purpose. */
  readonly deleted: string[];
  /** Figures of the reloads so far. */
  readonly reloads: { readonly listToPodsMs: number; readonly uploadToPodsMs: number }[];
}

/** Blue of the example. */
export const BLUE: Target = {
  namespace: 'ml',
  name: 'retail',
  variant: 'blue',
  bucket: 'models',
  key: 'retail/blue/model.tar.gz',
};

/** The same on the bucket without versioning. */
export const PLAIN: Target = {
  namespace: 'ml',
  name: 'retail-plain',
  variant: 'blue',
  bucket: 'models-plain',
  key: 'retail/model.tar.gz',
};

/** From now on, requests are judged by the changed expectation. */
export async function expectNow(show: Show, change: Partial<Expectation>): Promise<void> {
  show.expectation = { ...show.expectation, ...change };
  await show.load.expect(show.expectation);
}

/** The versions that one variant may answer with, the other variants as they were. */
export async function allowVersions(show: Show, variant: string, versions: string[]): Promise<void> {
  await expectNow(show, { versions: { ...show.expectation.versions, [variant]: versions } });
}
