// A broken artifact over a key: refused before it serves anything, the old version goes on, and everything that people look at says why.
import { readArtifact, truncated } from '../artifacts.ts';
import { condition } from '../kube.ts';
import { waitFor } from '../../cluster/process.ts';
import { modelInfo, modelPods } from '../pods.ts';
import { shellCommand } from '../../shell-words.ts';
import { isUpload, type Target } from '../reload.ts';
import { BLUE, PLAIN, type Show } from '../show.ts';

/** Ends when the operator has refused it. Both buckets, at the same time. */
export async function refuseBroken(show: Show): Promise<void> {
  const [retail, plain] = await Promise.all([refuse(show, BLUE, 'blue-2'), refuse(show, PLAIN, 'blue-1')]);
  const { claims } = show;
  await quote(show, BLUE);
  claims.add({ claim: 'broken artifact refused', asked: 'yes, with reason', ...retail });
  claims.add({ claim: 'the same, bucket without versioning', asked: 'yes, with reason', ...plain });
  claims.row('broken_artifact_refused', retail.ok && plain.ok ? 1 : 0, 'bool');
}

interface Finding {
  readonly measured: string;
  readonly ok: boolean;
}

async function refuse({ stage }: Show, target: Target, serving: string): Promise<Finding> {
  const { kube, store } = stage;
  const uploaded = await store.upload(target.bucket, target.key, truncated(await readArtifact('basket-blue')).bytes);
  const rejection = await kube.until(target, 'the broken artifact to be refused', ({ status }) => {
    const rejected = status.variants?.find(({ name }) => name === target.variant)?.rejected ?? [];
    return rejected.find(({ revision }) =>
      status.revisions?.some((row) => row.name === revision && isUpload(row, uploaded)),
    );
  });
  const problems = [
    ...(await findSilence(stage, target, rejection.reason)),
    ...(await findMoved(stage, target, serving)),
  ];
  return problems.length === 0
    ? { measured: `${rejection.reason}, in condition, event, kubectl get`, ok: true }
    : { measured: problems.join('; '), ok: false };
}

/** Places that should say why and do not. */
async function findSilence({ kube }: Show['stage'], target: Target, reason: string): Promise<string[]> {
  const resource = await kube.until(target, 'the condition UpToDate to say it', (candidate) =>
    condition(candidate, 'UpToDate')?.reason === 'ArtifactRejected' ? candidate : undefined,
  );
  const listed = await kube.kubectl(['get', 'mdep', target.name, '--namespace', target.namespace, '--output=wide']);
  const said = {
    'condition UpToDate': condition(resource, 'UpToDate')?.message.includes(reason) === true,
    'condition Ready': condition(resource, 'Ready')?.status === 'True',
    'a Warning event': await hasWarned(kube, target, reason),
    'kubectl get': listed.includes(reason),
  };
  return Object.entries(said).flatMap(([place, ok]) => (ok ? [] : [`not right: ${place}`]));
}

/** Events are written after the status. */
async function hasWarned(kube: Show['stage']['kube'], { namespace, name }: Target, reason: string): Promise<boolean> {
  const find = async (): Promise<boolean> =>
    (await kube.events(namespace, name)).some(({ type, note }) => type === 'Warning' && note.includes(reason));
  return waitFor(find, { what: 'an event', deadlineMs: 5000, intervalMs: 200 }).catch(() => false);
}

/** What a person sees who wonders why the upload does not serve. */
async function quote({ stage, claims }: Show, { namespace, name }: Target): Promise<void> {
  const commands = [
    ['get', 'mdep', name, '-n', namespace, '-o', 'wide'],
    ['get', 'mdep', name, '-n', namespace, '-o', 'jsonpath={.status.conditions[?(@.type=="UpToDate")]}'],
    ['get', 'events', '-n', namespace, '--field-selector', 'reason=ArtifactRejected'],
  ];
  for (const args of commands) claims.quote(shellCommand(['kubectl', ...args]), await stage.kube.kubectl(args));
}

/** Pods that do not serve the version that they should. */
async function findMoved({ kube }: Show['stage'], target: Target, version: string): Promise<string[]> {
  const pods = (await modelPods(kube, target.namespace, target.name)).filter(
    ({ variant }) => variant === target.variant,
  );
  const infos = await Promise.all(pods.map(async (pod) => ({ pod, info: await modelInfo(pod) })));
  return infos.flatMap(({ pod, info }) =>
    info?.version === version ? [] : [`${pod.name} serves ${info?.version ?? 'nothing'}`],
  );
}
