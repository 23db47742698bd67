// Phase, message and the scalars of the printer columns: for people. Code reads conditions.
import { loadedPods, refusalOfTarget, type Assessment, type VariantFacts } from './assess.ts';
import { clip, type Finding } from './conditions.ts';
import { reportsRevision } from './wave.ts';
import type { Status, VariantStatus } from './status.ts';
import type { Share } from './traffic.ts';

type Phase = Status['phase'];

/** The one word of `kubectl get`. */
export function phaseOf(facts: Assessment, findings: readonly Finding[]): Phase {
  const is = (type: Finding['type']) => findings.find((found) => found.type === type)?.status === 'True';
  if (facts.suspended) return 'Suspended';
  if (is('Stalled')) return 'Degraded';
  if (facts.variants.every(({ state }) => state.stable === undefined)) return 'Pending';
  if (facts.variants.some(isMovingBack)) return 'RollingBack';
  if (is('Reconciling')) return 'Progressing';
  return is('Ready') ? 'Healthy' : 'Degraded';
}

/** The most telling sentence: what keeps it from being ready, else what was refused, else nothing. */
export function messageOf(facts: Assessment, findings: readonly Finding[]): string | undefined {
  const abnormal =
    findings.find(({ type }) => type === 'Stalled') ?? findings.find(({ type }) => type === 'Reconciling');
  if (abnormal !== undefined) return clip(abnormal.message);
  for (const variant of facts.variants) {
    const refusal = refusalOfTarget(variant);
    if (refusal !== undefined)
      return clip(`${variant.name} keeps ${variant.state.stable ?? 'nothing'}: ${refusal.reason}: ${refusal.message}`);
  }
  return undefined;
}

/** Scalars of the printer columns. */
export function summaryOf(
  facts: Assessment,
  variants: readonly VariantStatus[],
  url: string,
): NonNullable<Status['summary']> {
  const versions = facts.variants.map((variant) => ({ name: variant.name, version: versionOf(variant) }));
  const only = versions.length === 1 ? versions[0]?.version : undefined;
  const version = only ?? versions.map((row) => `${row.name}=${row.version}`).join(',');
  const traffic = variants.map(({ name, weight }) => `${name}=${weight ?? '?'}`).join(',');
  const loaded = facts.variants.reduce((sum, variant) => sum + loadedPods(variant).length, 0);
  const wanted = facts.variants.reduce((sum, variant) => sum + variant.replicas, 0);
  return { version: clip(version), traffic: clip(traffic), loaded: `${loaded}/${wanted}`, url: clip(url) };
}

/** The row of one variant; a weight stays what was last acknowledged until the next one is. */
export function variantStatus(
  facts: VariantFacts,
  share: Share | undefined,
  before: VariantStatus | undefined,
): VariantStatus {
  const weight = share?.weight ?? before?.weight;
  const percent = share?.percent ?? before?.percent;
  return {
    name: facts.name,
    ...facts.state,
    ...(weight !== undefined && { weight }),
    ...(percent !== undefined && { percent }),
    replicas: facts.replicas,
    ready: facts.pods.filter((pod) => pod.ready && !pod.terminating).length,
    loaded: loadedPods(facts).length,
  };
}

/** The address that clients use inside the cluster. */
export function urlOf(name: string, namespace: string, port: number): string {
  return `http://${name}.${namespace}.svc${port === 80 ? '' : `:${port}`}`;
}

/** What the pods call the stable model: metadata.json `version`; the revision until one has said so. */
function versionOf({ pods, state }: VariantFacts): string {
  if (state.stable === undefined) return '';
  const { stable } = state;
  return pods.find((pod) => reportsRevision(pod, stable))?.report?.version ?? stable;
}

/** Pods still serve a version that was refused and are being taken back. */
function isMovingBack({ state, pods }: VariantFacts): boolean {
  return (state.rejected ?? []).some(
    ({ revision }) =>
      revision !== state.stable && pods.some((pod) => !pod.terminating && reportsRevision(pod, revision)),
  );
}
