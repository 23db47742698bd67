// Which SHA-256 counts when several have a say: that of the spec or the store goes before the one that a pod computed.
import { expect, it } from 'vitest';
import { aResource, aSpec, aWorld, context, KEY, NOW, resolved, settle } from '../test/support/a-plan.ts';
import { plan } from './plan.ts';

const [STORES, PODS] = ['b'.repeat(64), 'a'.repeat(64)]; // every pod of these tests reports PODS
const pinnedTo = (sha256: string) => aSpec({ variants: [{ name: 'blue', weight: 1, model: { key: KEY, sha256 } }] });
const settled = (more: object) =>
  settle(aResource(), aWorld({ variants: new Map([['blue', { artifact: resolved('v1', more), pods: [] }]]) }));

it('lets a pin to what a pod computed keep the stable version, where the store says nothing', () => {
  const { resource, world } = settled({});
  const done = plan({ ...resource, generation: 2, spec: pinnedTo(PODS) }, world, context, NOW);
  expect(done.children.records).toMatchObject([{ data: { artifact: { versionId: 'v1' } } }]);
  expect(JSON.stringify(done.children.records)).not.toContain(PODS);
});

it('takes the word of the store for a pin, too, when a pod computed something else', () => {
  const { resource, world } = settled({ sha256: STORES });
  const revisions = resource.status?.revisions?.map((row) => ({ ...row, sha256: PODS }));
  const status = { ...resource.status!, ...(revisions && { revisions }) };

  const done = plan({ ...resource, generation: 2, spec: pinnedTo(PODS), status }, world, context, NOW);

  expect(JSON.stringify(done.children.records)).toContain(`"sha256":"${PODS}"`);
});
