// Follows the logs of pods to their ends: a pod that is deleted takes its log with it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Cluster } from '../cluster/cluster.ts';

interface Followed {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  text: string;
}

export class LogFollower {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #pods = new Map<string, Followed>();

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  /** Begins to follow, from the first line. Resolves when the log is being received. */
  async follow(pod: string): Promise<void> {
    const args = ['logs', '--follow', '--namespace', this.#namespace, pod];
    const env = { ...process.env, ...this.#cluster.env() };
    const child = spawn(this.#cluster.kubectlPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const followed: Followed = { child, ended: once(child, 'close'), text: '' };
    this.#pods.set(pod, followed);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (followed.text += text));
    await Promise.race([once(child.stdout, 'data'), followed.ended]);
  }

  /** The whole log of a pod that has ended. Throws when it does not end in time. */
  async whole(pod: string, seconds: number): Promise<string> {
    const followed = this.#pods.get(pod);
    if (followed === undefined) throw new Error(`the log of ${pod} is not followed`);
    const late = AbortSignal.timeout(seconds * 1000);
    const expired = once(late, 'abort').then(() => {
      throw new Error(`pod ${pod} did not end within ${seconds} s`);
    });
    await Promise.race([followed.ended, expired]);
    return followed.text;
  }

  close(): void {
    for (const { child } of this.#pods.values()) child.kill('SIGKILL');
  }
}
