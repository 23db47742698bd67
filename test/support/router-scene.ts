// A stage for tests of the router: pods and routers that are cleared away after each test, and the real HAProxy or a clear word that it is missing.
import { spawnSync } from 'node:child_process';
import { Agent } from 'node:http';
import { afterEach } from 'vitest';
import { post } from './keep-alive-load.ts';
import { RouterRig, startPod, tableOf } from './router-rig.ts';
import type { FakePod, RigOptions } from './router-rig.ts';

type Weights = Readonly<Record<string, number>>;
type Pods = Readonly<Record<string, readonly FakePod[]>>;

/** Throws where CI=true; elsewhere a machine without HAProxy skips these tests and says so. */
export function isHaproxyMissing(): boolean {
  const missing = spawnSync('haproxy', ['-v']).status !== 0;
  if (missing && process.env['CI'] === 'true') throw new Error('haproxy is not installed: apt-get install haproxy');
  if (missing) process.stderr.write('router tests skipped: haproxy is not installed (apt-get install haproxy)\n');
  return missing;
}

export class RouterScene {
  readonly pods: FakePod[] = [];
  readonly #rigs: RouterRig[] = [];

  constructor() {
    afterEach(() => this.#clear());
  }

  async podsOf(variant: string, count: number, delayMs = 0): Promise<FakePod[]> {
    const names = Array.from({ length: count }, (_, index) => `${variant}-${this.pods.length + index}`);
    const made = await Promise.all(names.map((name) => startPod(variant, name, delayMs)));
    this.pods.push(...made);
    return made;
  }

  async podOf(variant: string): Promise<FakePod> {
    const [pod] = await this.podsOf(variant, 1);
    if (pod === undefined) throw new Error('no pod was made');
    return pod;
  }

  /** A ready router. Without `pods` each variant has two. */
  async start(weights: Weights, options: Omit<RigOptions, 'table'> = {}, pods?: Pods): Promise<RouterRig> {
    const made: Record<string, readonly FakePod[]> = { ...pods };
    if (pods === undefined) for (const variant of Object.keys(weights)) made[variant] = await this.podsOf(variant, 2);
    const rig = await RouterRig.start({ table: tableOf(weights), ...options }, made);
    this.#rigs.push(rig);
    return rig;
  }

  async #clear(): Promise<void> {
    await Promise.all(this.#rigs.splice(0).map((rig) => rig.stop()));
    await Promise.all(this.pods.splice(0).map((pod) => pod.die()));
  }
}

/** Which variant each of `count` distinct keys gets. */
export async function variantsByKey(url: string, count: number): Promise<(string | undefined)[]> {
  const workers = 16;
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  const answers: (string | undefined)[] = [];
  const work = async (worker: number) => {
    for (let key = worker; key < count; key += workers) {
      answers[key] = (await post(url, { 'x-user-id': `user-${key}` }, agent)).variant;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  agent.destroy();
  return answers;
}
