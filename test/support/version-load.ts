// Load on keep-alive connections that notes which version answered, before and after a moment.
import { Agent } from 'node:http';
import { post } from './keep-alive-load.ts';

export interface VersionLoad {
  /** Resolves when so many more requests have been answered. */
  answers(count: number): Promise<void>;
  /** Requests that begin from now on count as after. */
  mark(): void;
  stop(): Promise<{ readonly before: readonly string[]; readonly after: readonly string[]; readonly failed: number }>;
}

export function startVersionLoad(url: string, connections: number): VersionLoad {
  const versions: { readonly before: string[]; readonly after: string[] } = { before: [], after: [] };
  let [running, failed] = [true, 0];
  let now: 'before' | 'after' = 'before';
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      const begun = now;
      try {
        const { status, body } = await post(`${url}/predict`, {}, agent);
        if (status === 200) versions[begun].push((JSON.parse(body) as { model_version: string }).model_version);
        else failed += 1;
      } catch {
        failed += 1;
      }
    }
    agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: connections }, client));
  const answered = () => versions.before.length + versions.after.length;
  return {
    async answers(count) {
      const goal = answered() + count;
      while (answered() < goal && failed === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    mark: () => (now = 'after'),
    async stop() {
      running = false;
      await clients;
      return { ...versions, failed };
    },
  };
}
