// What a plan does to traffic: variants that come and go, routers that do not confirm, and the way between the Service and them.
import { describe, expect, it } from 'vitest';
import {
  aResource,
  aSpec,
  blueAtRest,
  carriedOut,
  conditionsOf,
  context,
  edited,
  find,
  NOW,
  resolved,
  settle,
  stableOf,
  variantsOf,
  withVariant,
  worldOf,
} from '../test/support/a-plan.ts';
import type { Observed } from './domain/observed.ts';
import { plan } from './plan.ts';

describe('variants that come and go', () => {
  const two = () =>
    settle(aResource({ spec: aSpec({ variants: variantsOf('blue', 'green') }) }), worldOf('blue', 'green'));

  it('keeps the pods behind the routers until the Service has left them', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variantsOf('azure') });
    const seen = withVariant(world, 'azure', { artifact: resolved('v1'), pods: [] });

    const done = plan(change, seen, context, NOW);

    expect(find(done, 'Service', 'retail')).toMatchObject({
      spec: { selector: { 'app.kubernetes.io/component': 'router' } },
    });
    for (const name of ['blue', 'green']) expect(done.children.keeps('Deployment', `retail--${name}`)).toBe(true);
    const after = settle(change, seen);
    const last = plan(after.resource, after.world, context, NOW);
    expect(find(last, 'Service', 'retail')).toMatchObject({
      spec: { selector: { 'switchyard.dev/variant': 'azure' } },
    });
    for (const name of ['blue', 'green', 'router'])
      expect(last.children.keeps('Deployment', `retail--${name}`)).toBe(false);
  });

  it('keeps their pods although the table is lost: by the one that the routers apply, and whatever it is while none has said so', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variantsOf('blue'), traffic: { router: 'HAProxy' } });
    const { table, pods: routers } = world.router;
    const told = routers.map((pod) => ({ ...pod, applied: { ...pod.applied!, table } }));
    const silent = routers.map(({ applied, ...pod }) => ({
      ...pod,
      silence: { ms: applied!.generation, hasAnswered: true },
    }));

    const lost = plan(change, { ...world, router: { pods: told } }, context, NOW);
    const unknown = plan(change, { ...world, router: { pods: silent } }, context, NOW);

    for (const done of [lost, unknown]) expect(done.children.keeps('Deployment', 'retail--green')).toBe(true);
    expect(find(unknown, 'ConfigMap', 'retail--router')).toBeUndefined();
    expect(unknown).toMatchObject({ isConfirming: true, requeueAfterMs: 250 });
  });

  it('keeps no history of a variant that is gone', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variantsOf('blue') });
    const revision = stableOf(resource, 1);
    expect(plan(resource, world, context, NOW).children.keeps('ControllerRevision', `retail--green-${revision}`)).toBe(
      true,
    );

    const after = settle(change, world);

    const last = plan(after.resource, after.world, context, NOW);
    expect(last.children.keeps('ControllerRevision', `retail--green-${revision}`)).toBe(false);
    expect(last.children.keeps('ControllerRevision', `retail--blue-${stableOf(resource)}`)).toBe(true);
  });

  it('removes no pod that has traffic before the routers have confirmed the weights', () => {
    const { resource, world } = two();
    const spec = {
      variants: [
        { ...variantsOf('blue')[0], weight: 1 },
        { ...variantsOf('green')[0], weight: 0, replicas: 0 },
      ],
    };
    const change = edited(resource, spec);

    const first = plan(change, world, context, NOW);
    expect(find(first, 'Deployment', 'retail--green')).toMatchObject({ spec: { replicas: 2 } });

    const done = plan({ ...change, status: first.status }, carriedOut(world, first), context, NOW);
    expect(find(done, 'Deployment', 'retail--green')).toMatchObject({ spec: { replicas: 0 } });
  });
});

describe('a router that does not confirm the table', () => {
  const routed = () => {
    const { resource, world } = blueAtRest();
    return settle(edited(resource, { traffic: { router: 'HAProxy' } }), world);
  };
  const mute = (world: Observed, ms: number, waitedMs = ms): Observed => {
    const [first, second] = world.router.pods;
    const { applied, ...silent } = first!;
    expect(applied).toBeDefined();
    const pods = [{ ...silent, silence: { ms, hasAnswered: true } }, second!];
    return { ...world, drained: true, router: { ...world.router, pods, waitedMs } };
  };

  it('is looked for ever more slowly', () => {
    const { resource, world } = routed();
    expect(plan(resource, mute(world, 0), context, NOW).requeueAfterMs).toBe(250);
    expect(plan(resource, mute(world, 60_000), context, NOW)).toMatchObject({
      requeueAfterMs: 5000,
      muteRouter: undefined,
    });
  });

  it('is replaced at last, and status says what is going on', () => {
    const { resource, world } = routed();
    const done = plan(resource, mute(world, 120_000), context, NOW);
    expect(done.muteRouter?.name).toBe('r1');
    expect(conditionsOf(done)).toMatchObject({ TrafficApplied: 'False/WaitingForRouters' });
  });

  it('is not replaced once nothing waits for it', () => {
    const { resource, world } = routed();
    const back = edited(resource, { traffic: { router: 'Service' } });
    expect(plan(back, mute(world, 120_000), context, NOW).muteRouter).toBeUndefined();
  });
});

it('counts the time of a drain from its first attempt, though the Service takes several', () => {
  const { resource, world } = blueAtRest();
  const routed = settle(edited(resource, { traffic: { router: 'HAProxy' } }), world);
  const notYet = { ...routed.world, service: { kind: 'variant', variant: 'blue' } } as const;

  const first = plan(routed.resource, notYet, context, NOW);
  const second = plan({ ...routed.resource, status: first.status }, notYet, context, NOW + 1000);

  expect(first.status.draining?.until).toBe('2026-01-01T00:02:00.000Z');
  expect(second.status).toEqual(first.status);
});

it('removes a variant only after every router has confirmed that it gets nothing', () => {
  const two = aSpec({ variants: variantsOf('blue', 'green') });
  const before = settle(aResource({ spec: two }), worldOf('blue', 'green'));
  const spec = aSpec({ traffic: { router: 'HAProxy' } });
  const unconfirmed = { router: { ...before.world.router, pods: [] }, service: { kind: 'router' } } as const;

  const done = plan(aResource({ spec }), { ...worldOf('blue'), ...unconfirmed }, context, NOW);

  expect(done.children.keeps('Deployment', 'retail--green')).toBe(true);
  expect(done.children.keeps('Deployment', 'retail--red')).toBe(false);
});

it('drains the model pods when the Service turns to the routers', () => {
  const spec = aSpec({ traffic: { router: 'HAProxy' } });
  const world: Observed = { ...worldOf('blue'), service: { kind: 'variant', variant: 'blue' } };
  const start = plan(aResource({ spec }), world, context, NOW);
  const seen = carriedOut(world, start);

  const flip = plan(aResource({ spec, status: start.status }), seen, context, NOW);
  const drained = { ...carriedOut(seen, flip), drained: true };
  const after = plan(aResource({ spec, status: flip.status }), drained, context, NOW);

  expect(start.drain).toBeUndefined();
  expect(flip.status.draining?.until).toBe('2026-01-01T00:02:00.000Z');
  expect(after.status.draining).toBeUndefined();
});
