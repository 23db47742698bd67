import { describe, expect, it } from 'vitest';
import { buildCrd } from './crd.ts';

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every schema node below `schema` with its path; list items and map values included. */
function* nodes(schema: Node, path: string): Generator<[string, Node]> {
  yield [path, schema];
  const properties = isNode(schema['properties']) ? schema['properties'] : {};
  for (const [name, child] of Object.entries(properties)) if (isNode(child)) yield* nodes(child, `${path}.${name}`);
  if (isNode(schema['items'])) yield* nodes(schema['items'], `${path}[]`);
  if (isNode(schema['additionalProperties'])) yield* nodes(schema['additionalProperties'], `${path}{}`);
}

const crd = buildCrd();
const root: Node = crd.spec.versions[0]!.schema.openAPIV3Schema;
const all = [...nodes(root, '')].filter(([path]) => path.startsWith('.spec') || path.startsWith('.status'));
const paths = (wrong: (node: Node) => boolean) => all.filter(([, node]) => wrong(node)).map(([path]) => path);

describe('the CRD', () => {
  it('describes every field', () => {
    const undescribed = all.filter(([path, node]) => /\w$/.test(path) && typeof node['description'] !== 'string');
    expect(undescribed.map(([path]) => path)).toEqual([]);
  });

  it('gives every field one type, but for quantities', () => {
    const untyped = paths((node) => typeof node['type'] !== 'string');
    expect(untyped).toEqual([
      '.spec.variants[].runtime.resources.requests{}',
      '.spec.variants[].runtime.resources.limits{}',
      '.spec.runtime.resources.requests{}',
      '.spec.runtime.resources.limits{}',
    ]);
  });

  it('bounds every string, list, map and number', () => {
    expect(paths((node) => node['type'] === 'string' && !('maxLength' in node) && !('enum' in node))).toEqual([]);
    expect(paths((node) => node['type'] === 'array' && !('maxItems' in node))).toEqual([]);
    expect(paths((node) => 'additionalProperties' in node && !('maxProperties' in node))).toEqual([]);
    expect(paths((node) => node['type'] === 'integer' && !('minimum' in node && 'maximum' in node))).toEqual([]);
    expect(paths((node) => node['type'] === 'number')).toEqual([]);
  });

  it('says of every list how it is merged', () => {
    expect(paths((node) => node['type'] === 'array' && !('x-kubernetes-list-type' in node))).toEqual([]);
  });

  it('has nothing that a structural schema refuses', () => {
    const refused = ['$schema', '$ref', 'oneOf', 'allOf', 'not', 'propertyNames', 'const', '$defs', 'id'];
    expect(paths((node) => refused.some((key) => key in node) || node['additionalProperties'] === false)).toEqual([]);
  });

  it('prints the columns that people know', () => {
    const columns: readonly { name: string; priority?: number }[] = crd.spec.versions[0]!.additionalPrinterColumns;
    const named = (priority: number) => columns.filter((c) => (c.priority ?? 0) === priority).map((c) => c.name);
    expect(named(0)).toEqual(['Ready', 'Phase', 'Version', 'Traffic', 'Loaded', 'Replicas', 'Age']);
    expect(named(1)).toEqual(['Key', 'Strategy', 'URL', 'Message']);
  });
});
