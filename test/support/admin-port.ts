// The admin port of a process, and patience with it.
import { ModelInfo, ReloadAnswer } from '../../inference/contract.ts';
import type { ReloadBody } from '../../inference/contract.ts';
import { TOKEN } from './inference-rig.ts';

const PATIENCE_MS = 60_000;

export interface AdminPort {
  readonly info: () => Promise<ModelInfo>;
  readonly reload: (body: ReloadBody) => Promise<ReloadAnswer>;
}

export function adminPort(url: string): AdminPort {
  return {
    info: async () => ModelInfo.parse(await call(`${url}/model/info`)),
    reload: async (body) =>
      ReloadAnswer.parse(await call(`${url}/model/reload`, { method: 'POST', body: JSON.stringify(body) })),
  };
}

async function call(url: string, init: RequestInit = {}): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  return answer.json();
}

/** Asks until the answer is yes; an error counts as no. `detail` is for the message when it never is. */
export async function poll(check: () => Promise<boolean> | boolean, detail: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (
      await Promise.resolve()
        .then(check)
        .catch(() => false)
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`It did not come to that. ${detail()}`);
}
