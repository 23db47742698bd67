// What the CustomResourceDefinition in the cluster lacks of what this operator reads and writes: an older one drops fields of the spec without a word
// and refuses the status. Pure.
import { VERSION } from './model-deployment.ts';

type Json = Readonly<Record<string, unknown>>;

/** Limits of which a smaller one refuses what we may write. */
const UPPER_LIMITS = ['maxLength', 'maxItems', 'maximum'];

/** Paths such as `status.phase: Suspended` that `ours` has and `served` has not, both whole CustomResourceDefinitions. Empty: it fits. */
export function lackingIn(served: unknown, ours: unknown): readonly string[] {
  const wanted = schemaOf(ours);
  const schema = schemaOf(served);
  if (schema === undefined) return [`version ${VERSION}`];
  return ['spec', 'status'].flatMap((field) => lacking(property(schema, field), property(wanted, field), field));
}

/** The schema of our version, if it is served. */
function schemaOf(crd: unknown): Json | undefined {
  const versions = at(at(crd, 'spec'), 'versions');
  const version = asList(versions).find((each) => at(each, 'name') === VERSION && at(each, 'served') === true);
  const schema = at(at(version, 'schema'), 'openAPIV3Schema');
  return isJson(schema) ? schema : undefined;
}

function lacking(served: unknown, wanted: unknown, path: string): readonly string[] {
  if (!isJson(wanted)) return [];
  if (!isJson(served)) return [path];
  const properties = at(wanted, 'properties');
  const names = isJson(properties) ? Object.keys(properties) : [];
  const items = at(wanted, 'items');
  return [
    ...asList(wanted['enum'])
      .filter((value) => !asList(served['enum']).includes(value))
      .map((value) => `${path}: ${String(value)}`),
    ...UPPER_LIMITS.filter((limit) => isSmaller(served[limit], wanted[limit])).map((limit) => `${path}: ${limit}`),
    ...names.flatMap((name) => lacking(property(served, name), property(wanted, name), `${path}.${name}`)),
    ...(items === undefined ? [] : lacking(at(served, 'items'), items, `${path}[]`)),
  ];
}

/** Absent: no limit. */
function isSmaller(served: unknown, wanted: unknown): boolean {
  return typeof served === 'number' && (typeof wanted !== 'number' || served < wanted);
}

function property(schema: unknown, name: string): unknown {
  return at(at(schema, 'properties'), name);
}

function at(value: unknown, name: string): unknown {
  return isJson(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
