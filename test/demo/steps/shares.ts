// Weights by kubectl apply, and what ten thousand users then meet.
import type { LoadReport } from '../../load/contract.ts';
import { waitFor } from '../../cluster/process.ts';
import { describeShares, shareErrorPoints } from '../claims.ts';
import { condition } from '../kube.ts';
import { readExample, withWeights } from '../manifests.ts';
import { BLUE, expectNow, type Show } from '../show.ts';

const KEYS = 10_000;
const LIMIT_POINTS = 1.5;

type Weights = Readonly<Record<string, number>>;

/** Applies the weights, waits until every router has confirmed them, and measures. `gained` has a larger share than before. */
export async function shiftWeights(show: Show, weights: Weights, gained: string[]): Promise<void> {
  const { kube } = show.stage;
  await expectNow(show, { phase: name(weights), gained, settled: false });
  await kube.apply(withWeights(await readExample(), weights));
  await kube.until(BLUE, `${name(weights)} to be confirmed`, (resource) => {
    const { metadata, status } = resource;
    const isSeen = status.observedGeneration === metadata.generation;
    const isApplied = Object.entries(weights).every(
      ([variant, weight]) => status.variants?.find((row) => row.name === variant)?.weight === weight,
    );
    return isSeen && isApplied && condition(resource, 'TrafficApplied')?.status === 'True';
  });
  await expectNow(show, { settled: true });
  await measureShares(show, weights);
}

/** Waits until every key was seen since the weights were settled, and compares. */
export async function measureShares({ load, claims, stage }: Show, weights: Weights): Promise<LoadReport> {
  const report = await waitFor(
    async () => {
      const current = await load.report();
      return current.keysSeen >= KEYS && current;
    },
    { what: `${KEYS} keys`, deadlineMs: 60_000, intervalMs: 250, signal: stage.signal },
  );
  const points = shareErrorPoints(weights, report.keys);
  const worst = Math.max(points, claims.rows.find(({ name: row }) => row === 'share_error_points')?.value ?? 0);
  claims.row('share_error_points', Math.round(worst * 100) / 100, 'points');
  claims.add({
    claim: `shares at ${name(weights)}`,
    asked: `± ${LIMIT_POINTS} points`,
    measured: describeShares(report.keys),
    ok: points <= LIMIT_POINTS,
    note: `Of ${KEYS} distinct keys, after every router had confirmed the weights. A key that changes its variant while the weights stay, or moves to a variant whose share did not grow, is a failed request.`,
  });
  return report;
}

function name(weights: Weights): string {
  return Object.entries(weights)
    .map(([variant, weight]) => `${variant} ${weight}`)
    .join(', ');
}
