// What the pods report of themselves, remembered: only a pod that is new, changed or invalidated is asked again.
import type { ModelInfo } from '../../inference/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PodObserved, Told } from '../domain/observed.ts';
import { ConcurrencyLimit } from '../runtime/concurrency-limit.ts';
import type { InfoOutcome } from './reload-client.ts';

/** The part of a pod that decides whether its last report still stands. */
export interface ReportingPod {
  readonly uid: string;
  readonly ip?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly restarts: number;
}

export interface PodReportsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Asks one pod; a value for every outcome. */
  readonly ask: (ip: string, token: string, signal: AbortSignal) => Promise<InfoOutcome>;
  /** Pods asked at the same time, over all resources. */
  readonly concurrency: number;
  /** A report of a ready pod is asked for again after this many ms although nothing seems to have changed. */
  readonly maxAgeMs: number;
}

/** What is known of a pod from talking with it. */
export interface PodKnown {
  readonly report?: ModelInfo;
  /** It was started with another token than ours: it can be told nothing. */
  readonly refusesToken?: true;
  readonly told?: Told;
}

interface Entry extends Omit<PodKnown, 'told'> {
  readonly told?: Omit<Told, 'agoMs'> & { readonly at: number };
  /** Of the report; absent without one. Times are monotonic. */
  readonly stamp?: string;
  readonly askedAt?: number;
}

/** Reports by resource and pod. */
export class PodReports {
  readonly #options: PodReportsOptions;
  readonly #entries = new Map<string, ReadonlyMap<string, Entry>>();
  readonly #limit: ConcurrencyLimit;

  constructor(options: PodReportsOptions) {
    this.#options = options;
    this.#limit = new ConcurrencyLimit(options.concurrency);
  }

  /** What is known of a resource's pods by pod uid. Pods of which nothing is known are missing; pods that are not given are forgotten. */
  async collect(
    resource: string,
    pods: readonly ReportingPod[],
    token: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, PodKnown>> {
    const known = this.#entries.get(resource);
    const entries = await Promise.all(
      pods.map(async (pod) => [pod.uid, await this.#entryOf(pod, known?.get(pod.uid), token, signal)] as const),
    );
    const current = new Map(entries.flatMap(([uid, entry]) => (entry === undefined ? [] : [[uid, entry] as const])));
    this.#keep(resource, current);
    return new Map([...current].map(([uid, entry]) => [uid, this.#knownOf(entry)]));
  }

  /** A reload call for `revision` reached the pod. What it serves from now on it has to say itself: the next collect asks it again. */
  noteTold(
    resource: string,
    { uid, crash, told }: Pick<PodObserved, 'uid' | 'crash' | 'told'>,
    revision: string,
  ): void {
    const before = told?.revision === revision ? told : undefined;
    const crashes = before === undefined ? 0 : before.crashes + Number(crash?.id !== before.crashId);
    const at = this.#options.clock.monotonic();
    const others = this.#entries.get(resource) ?? [];
    this.#keep(resource, new Map([...others, [uid, { told: { revision, crashId: crash?.id, crashes, at } }]]));
  }

  /** The next collect asks this pod again. */
  invalidate(resource: string, uid: string): void {
    const entries = new Map(this.#entries.get(resource));
    const told = entries.get(uid)?.told;
    if (told === undefined) entries.delete(uid);
    else entries.set(uid, { told });
    this.#keep(resource, entries);
  }

  /** The resource is gone. */
  forget(resource: string): void {
    this.#entries.delete(resource);
  }

  #keep(resource: string, entries: ReadonlyMap<string, Entry>): void {
    if (entries.size === 0) this.#entries.delete(resource);
    else this.#entries.set(resource, entries);
  }

  async #entryOf(
    pod: ReportingPod,
    entry: Entry | undefined,
    token: string,
    signal: AbortSignal,
  ): Promise<Entry | undefined> {
    const { ip } = pod;
    if (ip === undefined) return undefined;
    if (entry !== undefined && this.#stands(pod, entry)) return entry;
    const outcome = await this.#limit.run(() => this.#options.ask(ip, token, signal), signal);
    const told = entry?.told && { told: entry.told };
    if (outcome.kind === 'unreachable') return told;
    if (outcome.kind === 'unauthorized') return { ...told, refusesToken: true };
    return { ...told, stamp: stampOf(pod), report: outcome.info, askedAt: this.#options.clock.monotonic() };
  }

  #knownOf({ report, refusesToken, told }: Entry): PodKnown {
    const agoMs = this.#options.clock.monotonic() - (told?.at ?? 0);
    return {
      ...(report && { report }),
      ...(refusesToken && { refusesToken }),
      ...(told && { told: { revision: told.revision, crashId: told.crashId, crashes: told.crashes, agoMs } }),
    };
  }

  /** What a pod said a moment ago means nothing while it loads, and one that is not ready may be loading. */
  #stands(pod: ReportingPod, { stamp, report, askedAt = -Infinity }: Entry): boolean {
    const age = this.#options.clock.monotonic() - askedAt;
    return pod.ready && report?.loading === undefined && stamp === stampOf(pod) && age < this.#options.maxAgeMs;
  }
}

/** The same pod with another process, address or readiness is another reporter: its file may have been an old one. */
function stampOf({ restarts, ready, ip }: ReportingPod): string {
  return `${restarts}/${ready}/${ip ?? ''}`;
}
