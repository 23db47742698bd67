// A pod is deleted while S3 holds a broken artifact under its key: the new one comes up on the promoted version. On a versioned bucket it fetches that
// version; on the other its siblings have the bytes.
import type { PodView } from '../kube.ts';
import { waitFor } from '../../cluster/process.ts';
import { modelInfo, modelPods, routerPods } from '../pods.ts';
import type { Target } from '../reload.ts';
import { BLUE, PLAIN, type Show } from '../show.ts';

const DEADLINE_S = 60;

export async function replacePods(show: Show): Promise<void> {
  const [versioned, plain, router] = await Promise.all([
    replace(show, BLUE),
    replace(show, PLAIN),
    replaceRouter(show),
  ]);
  const { claims } = show;
  const asked = 'the promoted version';
  claims.add({ claim: 'deleted pod replaced while S3 holds the broken one', asked, ...judge(versioned, 'blue-2') });
  claims.add({ claim: 'the same, bucket without versioning', asked, ...judge(plain, 'blue-1') });
  claims.add({ claim: 'deleted router replaced', asked: 'yes', measured: `after ${router.toFixed(1)} s`, ok: true });
}

/** Returns the seconds until there were two routers again. */
async function replaceRouter({ stage }: Show): Promise<number> {
  const { kube } = stage;
  const before = await routerPods(kube, BLUE.namespace, BLUE.name);
  const [victim] = before;
  if (victim === undefined) throw new Error(`${BLUE.name} has no router`);
  const startedMs = performance.now();
  await kube.kubectl(['delete', 'pod', victim.name, '--namespace', BLUE.namespace, '--wait=false']);
  await waitFor(
    async () => {
      const pods = await routerPods(kube, BLUE.namespace, BLUE.name);
      return pods.find((pod) => pod.ready && before.every(({ uid }) => uid !== pod.uid));
    },
    { what: 'a new router', deadlineMs: DEADLINE_S * 1000, intervalMs: 200, signal: stage.signal },
  );
  return (performance.now() - startedMs) / 1000;
}

interface Replacement {
  readonly version: string | null | undefined;
  readonly seconds: number;
}

function judge({ version, seconds }: Replacement, wanted: string): { measured: string; ok: boolean } {
  return { measured: `${version ?? 'nothing'} after ${seconds.toFixed(1)} s`, ok: version === wanted };
}

async function replace({ stage, logs, deleted }: Show, target: Target): Promise<Replacement> {
  const { kube } = stage;
  const before = await variantPods(stage, target);
  const [victim] = before;
  if (victim === undefined) throw new Error(`${target.name} has no pod of ${target.variant}`);
  await logs.follow(victim.name);
  if (target === BLUE) deleted.push(victim.name);
  const startedMs = performance.now();
  await kube.kubectl(['delete', 'pod', victim.name, '--namespace', target.namespace, '--wait=false']);
  const fresh = await waitFor(
    async () => {
      const pods = await variantPods(stage, target);
      return pods.find((pod) => pod.ready && before.every(({ uid }) => uid !== pod.uid));
    },
    { what: `a new pod of ${target.name}`, deadlineMs: DEADLINE_S * 1000, intervalMs: 200, signal: stage.signal },
  );
  const info = await modelInfo(fresh);
  return { version: info?.version, seconds: (performance.now() - startedMs) / 1000 };
}

async function variantPods({ kube }: Show['stage'], target: Target): Promise<PodView[]> {
  const pods = await modelPods(kube, target.namespace, target.name);
  return pods.filter(({ variant, terminating }) => variant === target.variant && !terminating);
}
