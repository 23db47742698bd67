// Asks model pods directly, by the routes that the host has to the pods' addresses.
import { get } from 'node:http';
import * as z from 'zod';
import { ModelInfo, PUBLIC_PORT } from '../../inference/contract.ts';
import { waitFor } from '../cluster/process.ts';
import type { Kube, PodView } from './kube.ts';

const TIMEOUT_MS = 2_000;

/** Model pods of a resource, those that are going away included. */
export async function modelPods(kube: Kube, namespace: string, name: string): Promise<PodView[]> {
  return kube.pods(namespace, `switchyard.dev/model-deployment=${name},app.kubernetes.io/component=model`);
}

export async function routerPods(kube: Kube, namespace: string, name: string): Promise<PodView[]> {
  return kube.pods(namespace, `switchyard.dev/model-deployment=${name},app.kubernetes.io/component=router`);
}

/** What a pod says that it serves; undefined when it does not answer. */
export async function modelInfo({ ip }: Pick<PodView, 'ip'>): Promise<ModelInfo | undefined> {
  const answer = ip === undefined ? undefined : await getText(`http://${ip}:${PUBLIC_PORT}/model/info`);
  if (answer === undefined) return undefined;
  const parsed = ModelInfo.safeParse(readJson(answer));
  return parsed.success ? parsed.data : undefined;
}

/** Polls until every pod reports that sha256. Returns performance.now() of the moment when the last one did. */
export async function untilAllReport(pods: readonly PodView[], sha256: string, seconds: number): Promise<number> {
  const times = pods.map(async (pod) => {
    const reports = async (): Promise<boolean> => (await modelInfo(pod))?.artifact?.sha256 === sha256;
    const what = `pod ${pod.name} to report ${sha256.slice(0, 12)}`;
    await waitFor(reports, { what, deadlineMs: seconds * 1000, intervalMs: 20 });
    return performance.now();
  });
  return Math.max(...(await Promise.all(times)));
}

/** Predictions that a pod has answered with 200, by its own count. */
export async function servedSoFar({ name, ip }: PodView): Promise<number> {
  const text = ip === undefined ? undefined : await getText(`http://${ip}:${PUBLIC_PORT}/metrics`);
  const count = text === undefined ? undefined : readSuccessCount(text);
  if (count === undefined) throw new Error(`pod ${name} does not tell how much it has served`);
  return count;
}

/** Sum of `model_infer_request_success` in the Prometheus text; undefined when there is no such line. */
export function readSuccessCount(text: string): number | undefined {
  const values = [...text.matchAll(/^model_infer_request_success(?:\{[^}]*\})? (\S+)$/gm)].map(([, value]) =>
    Number(value),
  );
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

const LastLine = z.object({ served: z.int() });

/** `served` of the line that a pod logs when it ends; undefined without such a line. */
export function readServed(log: string): number | undefined {
  for (const line of log.split('\n').toReversed()) {
    const parsed = LastLine.safeParse(readJson(line));
    if (parsed.success) return parsed.data.served;
  }
  return undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Body of a 200; undefined for everything else. */
export async function getText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve(response.statusCode === 200 ? body : undefined));
      response.on('error', () => resolve(undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
  });
}
