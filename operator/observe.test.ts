import { expect, it } from 'vitest';
import { aSpec } from '../test/support/a-plan.ts';
import { fakeWorld, put, stored } from '../test/support/fake-deps.ts';
import { observe } from './observe.ts';

it('counts the ready pods of variants that the spec no longer has', async () => {
  const world = fakeWorld();
  const spec = aSpec();
  put(world.caches.resources, stored('ModelDeployment', 'retail', { spec }));
  const pod = (name: string, variant: string, ready: 'True' | 'False', metadata: object = {}) => {
    const labels = {
      'switchyard.dev/model-deployment': 'retail',
      'app.kubernetes.io/component': 'model',
      'switchyard.dev/variant': variant,
    };
    const status = { conditions: [{ type: 'Ready', status: ready }] };
    put(world.caches.pods, stored('Pod', name, { status }, { labels, ...metadata }));
  };
  pod('a', 'blue', 'True');
  pod('b', 'gone', 'True');
  pod('c', 'gone', 'False');
  pod('d', 'gone', 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' });
  const resource = { ...world.caches.resources.get('ml', 'retail')!, spec };

  const { leaving } = await observe({
    deps: world.deps,
    key: 'ml/retail',
    resource,
    signal: new AbortController().signal,
  });

  expect([...leaving]).toEqual([['gone', 1]]);
});
