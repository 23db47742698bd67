import { expect, it } from 'vitest';
import { lackingIn } from './crd-fit.ts';
import { buildCrd } from './crd.ts';

interface Schema {
  readonly properties: Record<string, Schema>;
  readonly items: Schema;
}
interface Version {
  served: boolean;
  readonly schema: { readonly openAPIV3Schema: Schema };
}

/** A copy of ours in which `change` may do anything to the version and to the schema of status. */
function changed(change: (status: Schema, version: Version) => void): unknown {
  const crd = JSON.parse(JSON.stringify(buildCrd())) as { spec: { versions: Version[] } };
  const version = crd.spec.versions[0]!;
  change(version.schema.openAPIV3Schema.properties['status']!, version);
  return crd;
}

it('finds nothing in the one that we ship, nor in a newer one', () => {
  expect(lackingIn(buildCrd(), buildCrd())).toEqual([]);
  const newer = changed(({ properties }) => {
    Object.assign(properties, { later: { type: 'string' } });
    Object.assign(properties['message']!, { maxLength: 999 });
  });
  expect(lackingIn(newer, buildCrd())).toEqual([]);
});

it('names fields, values and limits that an older one does not have', () => {
  const older = changed(({ properties }) => {
    delete properties['draining'];
    delete properties['variants']!.items.properties['sequence'];
    Object.assign(properties['message']!, { maxLength: 10 });
    Object.assign(properties['phase']!, { enum: ['Pending', 'Progressing', 'Healthy', 'Degraded', 'Suspended'] });
  });
  expect([...lackingIn(older, buildCrd())].sort()).toEqual([
    'status.draining',
    'status.message: maxLength',
    'status.phase: RollingBack',
    'status.variants[].sequence',
  ]);
});

it('names the version when it is not served, and takes anything for a definition without it', () => {
  const unserved = changed((_status, version) => {
    version.served = false;
  });
  expect(lackingIn(unserved, buildCrd())).toEqual(['version v1alpha1']);
  expect(lackingIn(undefined, buildCrd())).toEqual(['version v1alpha1']);
});
