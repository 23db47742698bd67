// Is the CustomResourceDefinition in the cluster as new as this operator? Asked at start and then now and then: `kubectl apply` and Helm upgrade the
// two apart, and what an older one does not have is dropped or refused by the API server.
import { buildCrd } from './domain/crd.ts';
import { lackingIn } from './domain/crd-fit.ts';
import type { KubeClient } from './kube/client.ts';
import { KubeError } from './kube/errors.ts';
import { pathOf, RESOURCES } from './kube/resources.ts';
import type { Logger } from './logger.ts';
import type { Clock } from './runtime/clock.ts';

export interface CrdCheckOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Somebody is about to apply the newer one, or has forgotten it. */
const BEHIND_RECHECK_MS = 60_000;
const RECHECK_MS = 600_000;
const NAMED = 5;

/** What is known of the definition in the cluster; nothing until `run` has asked. */
export class CrdCheck {
  readonly #options: CrdCheckOptions;
  #problem: string | undefined;

  constructor(options: CrdCheckOptions) {
    this.#options = options;
  }

  /** Why people should apply the definition of this release; undefined: it fits, or nobody knows. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Asks until `signal` is aborted, or until it is clear that we may not ask. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#ask(signal))) {
      const pause = this.#problem === undefined ? RECHECK_MS : BEHIND_RECHECK_MS;
      await this.#options.clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** Returns whether asking again makes sense. */
  async #ask(signal: AbortSignal): Promise<boolean> {
    const { client, log } = this.#options;
    const ours = buildCrd();
    try {
      const path = pathOf(RESOURCES.CustomResourceDefinition, { name: ours.metadata.name });
      this.#learn(lackingIn(await client.request('GET', path, { signal }), ours));
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof KubeError && error.isForbidden) {
        log.info(
          { message: error.message },
          'the CustomResourceDefinition may not be read: its version is not checked',
        );
        return false;
      }
      log.warn({ err: error }, 'the CustomResourceDefinition could not be read');
    }
    return true;
  }

  #learn(lacking: readonly string[]): void {
    const { log } = this.#options;
    const before = this.#problem;
    const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : '';
    const what = `${lacking.slice(0, NAMED).join(', ')}${more}`;
    this.#problem =
      lacking.length === 0
        ? undefined
        : `older than this operator: it lacks ${what}; apply crds/modeldeployment.yaml of this release`;
    if (this.#problem === before) return;
    if (this.#problem === undefined) log.info('the CustomResourceDefinition is as new as this operator');
    else log.error({ lacking }, `the CustomResourceDefinition in the cluster is ${this.#problem}`);
  }
}
