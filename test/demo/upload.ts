// `npm run demo -- upload`: what a data scientist does, on a demo that was left up, and what comes of it.
import { openCluster } from '../cluster/handle.ts';
import { MissingPart } from '../cluster/missing.ts';
import { readInstance, readOwner, runDirOf } from '../cluster/state.ts';
import { asStep, type OnProgress } from '../progress.ts';
import { asVersion, readArtifact, truncated, type Artifact } from './artifacts.ts';
import type { ResourceView } from './kube.ts';
import { isUpload, stableRevision } from './reload.ts';
import { BLUE } from './show.ts';
import { openStage, type Stage } from './stage.ts';
import type { Uploaded } from './store.ts';

export const UPLOADS = ['good', 'broken'] as const;
export type UploadKind = (typeof UPLOADS)[number];

/**
 * The demo that `--keep` has left. Throws {@link MissingPart} when none is up, and for an instance that belongs to a running test, demo or benchmark:
 * an upload from outside would spoil what it measures.
 */
export async function openKeptStage(signal: AbortSignal, runDir = runDirOf('cluster')): Promise<Stage> {
  const instance = await readInstance(runDir);
  if (instance === undefined) throw new MissingPart(`no demo is up. ${HOW}`);
  if ((await readOwner(runDir)) !== undefined)
    throw new MissingPart(`the cluster that is up belongs to another run. ${HOW}`);
  return openStage(openCluster(instance), signal);
}

const HOW = '`npm run demo -- --keep` leaves one for you.';

/** Puts a new or a broken artifact over the key of blue and follows it. Returns what has become of it, in words. */
export async function upload(kind: UploadKind, stage: Stage, now: Date, onProgress: OnProgress): Promise<string> {
  const { kube, store } = stage;
  if ((await kube.resource(BLUE.namespace, BLUE.name)) === undefined) {
    throw new MissingPart(`the cluster that is up has no ModelDeployment ${BLUE.namespace}/${BLUE.name}. ${HOW}`);
  }
  const artifact = await artifactFor(now);
  const { bytes } = kind === 'good' ? artifact : truncated(artifact);
  const what = `${kind === 'good' ? '' : 'the first half of '}version ${artifact.version}`;
  const uploaded = await store.upload(BLUE.bucket, BLUE.key, bytes);
  const outcome = await asStep(onProgress, { step: 'Waiting for the operator and the pods', expectedSeconds: 2 }, () =>
    kube.until(BLUE, 'the upload to be served or refused', (resource) => outcomeOf(resource, uploaded)),
  );
  const listed = await kube.kubectl(['get', 'mdep', BLUE.name, '-n', BLUE.namespace, '-o', 'wide']);
  return `Uploaded s3://${BLUE.bucket}/${BLUE.key} (${what}): ${outcome}\n\n${listed}`;
}

/** New each time, so that each can be followed. */
async function artifactFor(now: Date): Promise<Artifact> {
  const time = now.toISOString().slice(11, 19).replaceAll(':', '');
  return asVersion(await readArtifact('basket-blue-2'), `blue-${time}`);
}

const SUSPENDED = 'suspended: this version waits until spec.suspend is false.';

/** Undefined while it is under way. */
export function outcomeOf(resource: ResourceView, uploaded: Uploaded): string | undefined {
  const { status } = resource;
  if (stableRevision(resource, BLUE.variant, uploaded) !== undefined) return 'every pod of blue serves it.';
  const rejection = status.variants
    ?.find(({ name }) => name === BLUE.variant)
    ?.rejected?.find(({ revision }) =>
      status.revisions?.some((row) => row.name === revision && isUpload(row, uploaded)),
    );
  if (rejection !== undefined) return `refused, ${rejection.reason}: ${rejection.message}`;
  return resource.spec.suspend === true ? SUSPENDED : undefined;
}
