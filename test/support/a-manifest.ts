// A ModelDeployment as a user writes it, for tests against a real API server.

/** A change of the smallest valid manifest: path of the field → value; `undefined` removes it. */
export type Change = Readonly<Record<string, unknown>>;

export const blue = { name: 'blue', weight: 1, model: { key: 'm.joblib' } };

/** The smallest valid manifest with the change made to it. */
export function aManifest(change: Change): Readonly<Record<string, unknown>> {
  let manifest: Readonly<Record<string, unknown>> = {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name: 'retail' },
    spec: { variants: [blue] },
  };
  for (const [path, value] of Object.entries(change)) manifest = withValue(manifest, path.split('.'), value);
  return manifest;
}

function withValue<T extends object>(target: T, [head = '', ...rest]: readonly string[], value: unknown): T {
  const inner: unknown = Reflect.get(target, head);
  const next =
    rest.length === 0 ? value : withValue(typeof inner === 'object' && inner !== null ? inner : {}, rest, value);
  const copy: T = Array.isArray(target) ? Object.assign([], target) : { ...target };
  Reflect.set(copy, head, next);
  return copy;
}
