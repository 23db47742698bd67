// What the operator logs when every pod of a variant reports a new artifact.
import * as z from 'zod';
import type { Kube } from './kube.ts';
import { SYSTEM_NAMESPACE } from './manifests.ts';

const Line = z.object({
  msg: z.literal('revision promoted: every pod reports it'),
  modelDeployment: z.string(),
  variant: z.string(),
  revision: z.string(),
  sinceListedMs: z.number().optional(),
});

export interface Promotion {
  /** `namespace/name`. */
  readonly modelDeployment: string;
  readonly variant: string;
  readonly revision: string;
  /** From the sending of the List that first saw the version until every pod had reported it. */
  readonly sinceListedMs: number | undefined;
}

/** Promotions in a log of JSON lines, in order; other lines are passed over. */
export function readPromotions(log: string): Promotion[] {
  return log.split('\n').flatMap((line) => {
    if (!line.includes('revision promoted')) return [];
    const { success, data } = Line.safeParse(JSON.parse(line));
    if (!success) return [];
    const { modelDeployment, variant, revision, sinceListedMs } = data;
    return [{ modelDeployment, variant, revision, sinceListedMs }];
  });
}

export async function operatorPods(kube: Kube) {
  return kube.pods(SYSTEM_NAMESPACE, 'app.kubernetes.io/component=operator');
}

/** Promotions that the operator's present pods have logged. */
export async function promotions(kube: Kube): Promise<Promotion[]> {
  const logs = (await operatorPods(kube)).map(async ({ name }) => kube.log(SYSTEM_NAMESPACE, name));
  return (await Promise.all(logs)).flatMap(readPromotions);
}
