// What the router pods say they apply. They are asked in every pass, since nothing may be done on an old answer; one that is silent is asked less and
// less often, so that it does not hold up the passes of its resource.
import { confirmationPollMs } from '../domain/router-silence.ts';
import type { RouterObserved, RouterPodObserved } from '../domain/observed.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AppliedOutcome } from './router-client.ts';

/** The part of a pod that decides whether it is asked. */
export interface RouterPod {
  readonly name: string;
  readonly uid: string;
  readonly ip?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
}

export interface RouterReportsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Asks one router; a value for every outcome. */
  readonly ask: (ip: string, signal: AbortSignal) => Promise<AppliedOutcome>;
}

/** Times are monotonic. */
interface Entry {
  readonly ready: boolean;
  readonly hasAnswered: boolean;
  readonly silence?: { readonly since: number; readonly askAgainAt: number };
}

interface Asked {
  readonly observed: RouterPodObserved;
  readonly entry: Entry;
}

interface Known {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly replaced: number;
}

const NOTHING: Known = { entries: new Map(), replaced: 0 };

/** Answers and silences by resource and pod. */
export class RouterReports {
  readonly #options: RouterReportsOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: RouterReportsOptions) {
    this.#options = options;
  }

  /** What a resource's routers say now. Pods that are not given are forgotten. */
  async collect(
    resource: string,
    pods: readonly RouterPod[],
    signal: AbortSignal,
  ): Promise<Required<Pick<RouterObserved, 'pods' | 'replaced'>>> {
    const known = this.#known.get(resource) ?? NOTHING;
    const asked = await Promise.all(pods.map((pod) => this.#ask(pod, known.entries.get(pod.uid), signal)));
    const isQuiet = asked.some(({ observed }) => observed.ready && observed.silence !== undefined);
    const replaced = isQuiet || pods.length === 0 ? known.replaced : 0;
    const entries = new Map(asked.map(({ observed, entry }) => [observed.uid, entry]));
    if (entries.size === 0) this.#known.delete(resource);
    else this.#known.set(resource, { entries, replaced });
    return { pods: asked.map(({ observed }) => observed), replaced };
  }

  /** The pod is being replaced for its silence: the time of the next one counts from now. */
  noteReplaced(resource: string, uid: string): void {
    const { entries, replaced } = this.#known.get(resource) ?? NOTHING;
    const others = new Map([...entries].filter(([pod]) => pod !== uid));
    this.#known.set(resource, { entries: others, replaced: replaced + 1 });
  }

  /** The resource is gone. */
  forget(resource: string): void {
    this.#known.delete(resource);
  }

  async #ask(pod: RouterPod, before: Entry | undefined, signal: AbortSignal): Promise<Asked> {
    const { name, uid, ip, ready, terminating } = pod;
    const observed = { name, uid, ready, terminating };
    const hasAnswered = before?.hasAnswered === true;
    if (ip === undefined) return { observed, entry: { ready, hasAnswered } };
    // A pod that has just become ready, or ceased to be, is another one to talk to.
    const last = before?.ready === ready ? before.silence : undefined;
    const now = this.#options.clock.monotonic();
    const isDue = last === undefined || now >= last.askAgainAt;
    const outcome = isDue ? await this.#options.ask(ip, signal) : undefined;
    if (outcome?.kind === 'applied')
      return { observed: { ...observed, applied: outcome.applied }, entry: { ready, hasAnswered: true } };
    const ms = now - (last?.since ?? now);
    const askAgainAt = isDue ? this.#options.clock.monotonic() + confirmationPollMs(ms) : last.askAgainAt;
    return {
      observed: { ...observed, silence: { ms, hasAnswered } },
      entry: { ready, hasAnswered, silence: { since: now - ms, askAgainAt } },
    };
  }
}
