// A loaded model with all that an answer needs of it, computed once: a request takes one of these at its start and never looks again.
import { compileRow } from '../features/row.ts';
import type { RowOf } from '../features/row.ts';
import type { LocalArtifact } from './artifacts.ts';
import type { Schema } from './checks.ts';
import { compileDecision } from './decision.ts';
import type { Decision } from './decision.ts';
import { modelReference } from '../monitoring/model-reference.ts';
import type { ModelReference } from '../monitoring/model-reference.ts';
import { outputsOf } from './model.ts';
import type { LoadedModel } from './loader.ts';
import type { Reported } from './reported.ts';
import type { Wanted } from './store.ts';

/** Where the model in use is found. A request reads it once. */
export interface ServingSlot {
  readonly current: ServedModel | undefined;
}

export interface ServedModel extends Omit<LoadedModel, 'artifact'>, Reported {
  /** The version as a JSON string. */
  readonly versionJson: string;
  readonly schema: Schema;
  readonly rowOf: RowOf;
  readonly decision: Decision;
  /** What rows and answers are compared with. */
  readonly reference?: ModelReference;
}

export function servedModel(
  { manifest, model, preprocessing }: Omit<LoadedModel, 'artifact'>,
  artifact: LocalArtifact,
  { revision, loadedAt }: { readonly revision: string | undefined; readonly loadedAt: string },
): ServedModel {
  const { key, versionId, etag, sha256, size } = artifact;
  const { version, features, declared, reference } = manifest;
  const names = declared ? features : (model.featureNames ?? []);
  return {
    manifest,
    model,
    version,
    versionHeader: headerSafe(version),
    versionJson: JSON.stringify(version),
    active: { version, key, sha256, size, ...defined({ revision, versionId, etag }) },
    schema: {
      features: names,
      width: model.features,
      classes: model.classes,
      outputs: [model.task, ...outputsOf(model)],
    },
    ...(preprocessing && { preprocessing }),
    decision: compileDecision(manifest, model),
    rowOf: compileRow(features, model.features, model.modelType),
    loadedAt,
    ...(reference && { reference: modelReference(reference, names, model) }),
  };
}

/** The same model under the name by which it was asked for now: equal bytes may be another revision. */
export function relabelled<T extends Reported>(
  served: T,
  wanted: Wanted & { readonly revision?: string | undefined },
): T {
  const { key, versionId, etag, revision = served.active.revision } = wanted;
  const { version, sha256, size } = served.active;
  const same = key === served.active.key;
  const known = {
    versionId: versionId ?? (same ? served.active.versionId : undefined),
    etag: etag ?? (same ? served.active.etag : undefined),
  };
  return { ...served, active: { version, key, sha256, ...defined({ ...known, size, revision }) } };
}

/**
 * Whether the wanted version is this one: by content where the hash is known, else by every name that is given. A key alone names no version.
 */
export function isWanted({ active }: Pick<Reported, 'active'>, { key, versionId, etag, sha256 }: Wanted): boolean {
  if (sha256 !== undefined) return sha256 === active.sha256;
  if (key !== active.key || (versionId === undefined && etag === undefined)) return false;
  return (versionId === undefined || versionId === active.versionId) && (etag === undefined || etag === active.etag);
}

/** Without the members that are undefined. */
function defined<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Visible ASCII as it is, everything else percent-encoded. */
export function headerSafe(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/gu, (letter) => encodeURIComponent(letter.isWellFormed() ? letter : '\ufffd'))
    .trim();
}
