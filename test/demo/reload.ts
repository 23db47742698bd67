// Uploads an artifact over a key and follows it into the pods.
import { waitFor } from '../cluster/process.ts';
import type { Artifact } from './artifacts.ts';
import { condition, type ResourceView } from './kube.ts';
import { modelPods, untilAllReport } from './pods.ts';
import { promotions, type Promotion } from './promotions.ts';
import type { Stage } from './stage.ts';
import type { Uploaded } from './store.ts';

export interface Target {
  readonly namespace: string;
  /** Of the ModelDeployment. */
  readonly name: string;
  readonly variant: string;
  readonly bucket: string;
  readonly key: string;
}

export interface ReloadTimes {
  /** From the store's confirmation of the upload until every pod of the variant reported it, seen by us; the wait for the next List included. */
  readonly uploadToPodsMs: number;
  /** From the List that first saw it until every pod reported it, by the operator's own clock and log. */
  readonly listToPodsMs: number;
  readonly uploaded: Uploaded;
}

/** Ends when all pods report the artifact and the operator has promoted it. `onAllPods` is called in between. */
export async function reload(
  stage: Stage,
  target: Target,
  artifact: Artifact,
  onAllPods?: () => Promise<unknown>,
): Promise<ReloadTimes> {
  const { kube, store } = stage;
  const pods = (await modelPods(kube, target.namespace, target.name)).filter(
    ({ variant, terminating }) => variant === target.variant && !terminating,
  );
  const uploaded = await store.upload(target.bucket, target.key, artifact.bytes);
  const allMs = await untilAllReport(pods, artifact.sha256, 60);
  await onAllPods?.();
  const revision = await kube.until(target, `${target.variant} to be promoted`, (resource) =>
    stableRevision(resource, target.variant, uploaded),
  );
  return { uploadToPodsMs: allMs - uploaded.atMs, listToPodsMs: await listToPods(stage, target, revision), uploaded };
}

/** Name of the variant's stable revision, when that is the upload and nothing is left to do. */
export function stableRevision(resource: ResourceView, variant: string, uploaded: Uploaded): string | undefined {
  const { stable, candidate } = resource.status.variants?.find(({ name }) => name === variant) ?? {};
  const row = resource.status.revisions?.find(({ name }) => name === stable);
  if (row === undefined || candidate !== undefined || condition(resource, 'UpToDate')?.status !== 'True')
    return undefined;
  return isUpload(row, uploaded) ? row.name : undefined;
}

/** Whether a row of status.revisions is that upload. */
export function isUpload(
  row: { readonly versionId?: string | undefined; readonly etag?: string | undefined },
  { versionId, etag }: Uploaded,
): boolean {
  return versionId === undefined ? row.etag?.replaceAll('"', '') === etag : row.versionId === versionId;
}

/** The operator logs a promotion right after it has written the status. */
async function listToPods({ kube, signal }: Stage, target: Target, revision: string): Promise<number> {
  const { namespace, name, variant } = target;
  const find = async (): Promise<Promotion | undefined> =>
    (await promotions(kube)).findLast(
      (promotion) =>
        promotion.modelDeployment === `${namespace}/${name}` &&
        promotion.variant === variant &&
        promotion.revision === revision,
    );
  const what = `the operator to log the promotion of ${revision}`;
  const { sinceListedMs } = await waitFor(find, { what, deadlineMs: 5000, intervalMs: 100, signal });
  if (sinceListedMs === undefined) throw new Error(`the operator did not measure the promotion of ${revision}`);
  return sinceListedMs;
}
