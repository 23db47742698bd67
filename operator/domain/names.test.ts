import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  adminSecretName,
  artifactConfigMapName,
  controllerRevisionName,
  routerName,
  serviceName,
  variantName,
} from './names.ts';

/** A DNS label without `--`, up to `max` characters, as the schema allows it. */
function label(max: number): fc.Arbitrary<string> {
  const inner = fc.string({ unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-'), maxLength: max - 2 });
  return fc
    .tuple(fc.constantFrom('a', 'z'), inner, fc.constantFrom('a', 'z', '9'))
    .map((parts) => parts.join('').replace(/-+/g, '-'))
    .filter((name) => name.length <= max);
}

const names = fc.oneof(label(40), fc.constantFrom('a', 'router', 'admin', 'a-b', 'x'.repeat(40)));
const variants = fc.oneof(label(20), fc.constantFrom('b', 'router', 'admin', 'artifact', 'b-artifact', 'y'.repeat(20)));
const revisions = fc.constantFrom('00000000', 'abcdef12', '99999999');
const owner = fc.record({ name: names, variant: variants, revision: revisions });
const KUBERNETES_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

type Owner = { name: string; variant: string; revision: string };

/** Every child as `Kind/name`, with what it belongs to. */
function childrenOf({ name, variant, revision }: Owner): readonly (readonly [child: string, belongsTo: string])[] {
  const ofVariant = `${name} ${variant}`;
  return [
    [`Deployment/${variantName(name, variant)}`, ofVariant],
    [`Deployment/${routerName(name)}`, `${name} (router)`],
    [`Service/${variantName(name, variant)}`, ofVariant],
    [`Service/${serviceName(name)}`, `${name} (stable)`],
    [`ConfigMap/${artifactConfigMapName(name, variant)}`, ofVariant],
    [`ConfigMap/${routerName(name)}`, `${name} (router)`],
    [`Secret/${adminSecretName(name)}`, name],
    [`ControllerRevision/${controllerRevisionName(name, variant, revision)}`, `${ofVariant} ${revision}`],
  ];
}

describe('names of children', () => {
  it('are those of the design where they fit', () => {
    expect(variantName('retail', 'champion')).toBe('retail--champion');
    expect(artifactConfigMapName('retail', 'champion')).toBe('retail--champion-artifact');
    expect(adminSecretName('retail')).toBe('retail--admin');
    expect(routerName('retail')).toBe('retail--router');
    expect(serviceName('retail')).toBe('retail');
    expect(controllerRevisionName('retail', 'champion', 'a1b2c3d4')).toBe('retail--champion-a1b2c3d4');
  });

  it('fit Kubernetes, whatever the names are', () => {
    fc.assert(
      fc.property(owner, (any) => {
        for (const [child] of childrenOf(any)) expect(child.split('/')[1]).toMatch(KUBERNETES_NAME);
      }),
    );
  });

  it('are never shared by two owners', () => {
    fc.assert(
      fc.property(fc.array(owner, { minLength: 2, maxLength: 12 }), (owners) => {
        const belongsTo = new Map<string, string>();
        for (const [child, to] of owners.flatMap(childrenOf)) {
          expect(belongsTo.get(child) ?? to).toBe(to);
          belongsTo.set(child, to);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are told apart by their hash where they had to be cut', () => {
    const [name, variant] = ['x'.repeat(40), 'y'.repeat(19)];

    expect(artifactConfigMapName(name, `${variant}a`)).not.toBe(artifactConfigMapName(name, `${variant}b`));
    expect(controllerRevisionName(name, variant, '00000001')).not.toBe(
      controllerRevisionName(name, variant, '00000002'),
    );
  });

  it('keep a variant called router away from the router', () => {
    expect(variantName('a', 'router')).not.toBe(routerName('a'));
  });
});
