// The steps of the demo in their order. The load runs from the first to the last.
import { asStep, type OnProgress } from '../progress.ts';
import type { Claims } from './claims.ts';
import { LogFollower } from './log-follower.ts';
import { NAMESPACE } from './manifests.ts';
import type { Limits, Show } from './show.ts';
import type { Stage } from './stage.ts';
import { countAll } from './steps/count.ts';
import { refuseBroken } from './steps/refuse.ts';
import { reloadBlue } from './steps/reload.ts';
import { replacePods } from './steps/replace.ts';
import { FIRST_EXPECTATION, serve, startLoad } from './steps/serve.ts';
import { measureShares, shiftWeights } from './steps/shares.ts';

/** What the product promises. */
const LIMITS: Limits = { reloadMs: 2000, nextListMs: 1300 };

type Step = readonly [title: string, expectedSeconds: number, play: (show: Show) => Promise<unknown>];

const STEPS: readonly Step[] = [
  ['New artifacts over the key of blue', 10, reloadBlue],
  ['Ten thousand users at 90/10', 2, (show) => measureShares(show, { blue: 90, green: 10 })],
  ['A broken artifact over the key of blue', 3, refuseBroken],
  ['Deleting pods while S3 holds the broken artifact', 6, replacePods],
  ['Weights 50/50', 12, (show) => shiftWeights(show, { blue: 50, green: 50 }, ['green'])],
  ['Weights 0/100', 12, (show) => shiftWeights(show, { blue: 0, green: 100 }, ['green'])],
  ['Counting', 3, countAll],
];

/** Plays the demo on a stage and fills the claims. Throws when a step does not come to its end. */
export async function play(stage: Stage, claims: Claims, onProgress: OnProgress, limits = LIMITS): Promise<void> {
  const serving = { step: 'Two variants, two pods each, behind two routers', expectedSeconds: 15 };
  const readyMs = await asStep(onProgress, serving, async () => serve(stage));
  claims.row('ready_ms', Math.round(readyMs), 'ms');
  const load = await startLoad(stage);
  const logs = new LogFollower(stage.cluster, NAMESPACE);
  const show: Show = {
    ...{ stage, claims, onProgress, load, logs, limits },
    expectation: FIRST_EXPECTATION,
    deleted: [],
    reloads: [],
  };
  try {
    for (const [step, expectedSeconds, run] of STEPS) {
      await asStep(onProgress, { step, expectedSeconds }, async () => run(show));
    }
  } finally {
    await load.kill();
    logs.close();
  }
}
