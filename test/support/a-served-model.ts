// A model in use, for tests of what is watched: its answers do not matter, its shape does.
import type { ServedModel } from '../../inference/model/served.ts';
import { servedModel } from '../../inference/model/served.ts';
import { parseManifest } from '../../inference/model/manifest.ts';
import type { Model } from '../../inference/model/model.ts';

/** Two features a and b, three classes, and the reference given, as metadata.json has it. */
export function aServedModel(reference?: unknown, change: Partial<Model> = {}, names = ['a', 'b']): ServedModel {
  const model: Model = {
    modelType: 'RandomForestClassifier',
    task: 'classifier',
    features: 2,
    texts: new Map(),
    classes: ['low', 'medium', 'high'],
    bytes: 0,
    predict: (_, count) => new Float64Array(count),
    predictProba: (_, count) => new Float64Array(3 * count),
    ...change,
  };
  const metadata = { features: names, ...(reference !== undefined && { reference }) };
  const manifest = parseManifest(Buffer.from(JSON.stringify(metadata)));
  const artifact = { key: 'model.tar.gz', path: '/none', sha256: '0'.repeat(64), size: 1 };
  return servedModel({ manifest, model }, artifact, { revision: undefined, loadedAt: '2026-01-01T00:00:00.000Z' });
}
