// A resource that is frozen in the middle of a rollout, and goes on later.
import { expect, it } from 'vitest';
import {
  aResource,
  aSpec,
  aWorld,
  carriedOut,
  conditionsOf,
  context,
  NOW,
  resolved,
  settle,
  withVariant,
} from '../test/support/a-plan.ts';
import { aPod, aReport } from '../test/support/a-variant.ts';
import { plan } from './plan.ts';

const HOUR = 3_600_000;

/** A rollout that was suspended when its first pod was asked. */
function suspended() {
  const rest = settle(aResource(), aWorld({ variants: new Map([['blue', { artifact: resolved('v1'), pods: [] }]]) }));
  const world = withVariant(rest.world, 'blue', { artifact: resolved('v2') });
  const started = plan(rest.resource, world, context, NOW);
  const stable = rest.resource.status?.variants?.[0]?.stable;
  const seen = withVariant(carriedOut(world, started), 'blue', { pods: [aPod('a', stable), aPod('b', stable)] });
  const frozen = { ...rest.resource, generation: 2, spec: aSpec({ suspend: true }), status: started.status };
  const { status } = plan(frozen, seen, context, NOW);
  return { resource: { ...frozen, status }, world: seen, stable };
}

it('goes on after a long time with its whole deadline, and says so once', () => {
  const { resource, world } = suspended();
  expect(resource.status.phase).toBe('Suspended');

  const resumed = plan({ ...resource, generation: 3, spec: aSpec() }, world, context, NOW + HOUR);

  expect(conditionsOf(resumed)).not.toHaveProperty('Stalled');
  expect(resumed.status.variants?.[0]?.candidate?.deadline).toBe('2026-01-01T01:10:00.000Z');
  expect(resumed.reloads).toHaveLength(1);
  const later = { ...resource, generation: 3, spec: aSpec(), status: resumed.status };
  expect(plan(later, world, context, NOW + HOUR + 1000).status).toEqual(resumed.status);
});

it('looks again while a pod goes on loading', () => {
  const { resource, world, stable } = suspended();
  const loading = aReport(stable, { sequence: 2, loading: { revision: 'r2', sequence: 2 } });
  const busy = withVariant(world, 'blue', { pods: [aPod('a', stable, { report: loading })] });
  expect(plan(resource, busy, context, NOW).requeueAfterMs).toBe(1000);
  const starting = withVariant(world, 'blue', {
    pods: [aPod('a', undefined, { report: { ...loading, artifact: null } })],
  });
  expect(plan(resource, starting, context, NOW).requeueAfterMs).toBe(600_000);
});
