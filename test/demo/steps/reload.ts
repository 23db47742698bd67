// New artifacts over blue's key: its pods take them while they serve, and nothing restarts.
import { readArtifact } from '../artifacts.ts';
import { quantile } from '../claims.ts';
import { modelPods } from '../pods.ts';
import { reload } from '../reload.ts';
import { allowVersions, BLUE, type Show } from '../show.ts';

const RELOADS = ['basket-blue-2', 'basket-blue', 'basket-blue-2'] as const;

export async function reloadBlue(show: Show): Promise<void> {
  const { stage, claims, reloads, limits } = show;
  const before = await modelPods(stage.kube, BLUE.namespace, BLUE.name);
  for (const name of RELOADS) {
    const artifact = await readArtifact(name);
    const [old = ''] = show.expectation.versions['blue'] ?? [];
    await allowVersions(show, 'blue', [old, artifact.version]);
    reloads.push(await reload(stage, BLUE, artifact, async () => allowVersions(show, 'blue', [artifact.version])));
  }
  const p50 = Math.round(
    quantile(
      reloads.map(({ listToPodsMs }) => listToPodsMs),
      0.5,
    ),
  );
  const after = await modelPods(stage.kube, BLUE.namespace, BLUE.name);
  const same = before.every(({ uid, restarts }) => after.some((pod) => pod.uid === uid && pod.restarts === restarts));
  const consistent = reloads.every(
    ({ uploadToPodsMs, listToPodsMs }) => uploadToPodsMs <= listToPodsMs + limits.nextListMs,
  );
  claims.row('reload_beyond_poll_ms_p50', p50, 'ms');
  claims.add({
    claim: 'S3 change seen → every pod on the new version',
    asked: `≤ ${limits.reloadMs} ms`,
    measured: `${p50} ms (p50 of ${reloads.length}); from upload ${reloads.map((times) => Math.round(times.uploadToPodsMs)).join(', ')} ms`,
    ok: p50 <= limits.reloadMs && consistent,
    note:
      'From the sending of the List that first saw the change until every pod reported the version (the operator logs it), so without the wait for the ' +
      'next poll. "From upload" is measured from outside and contains that wait (1 s); the two must agree.',
  });
  claims.add({
    claim: 'pods restarted or replaced by a new artifact',
    asked: '0',
    measured: same && after.length === before.length ? '0' : 'some',
    ok: same && after.length === before.length,
  });
}
