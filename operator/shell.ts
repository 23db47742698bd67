// The process shell: @dot-i/k8s-operator starts and stops the operator, and does nothing else. Its own watches, queue, status and finalizer calls are
// not used: they lose events, and they end the process on the first error of a connection.
import k8sOperator from '@dot-i/k8s-operator';

export interface ShellOptions {
  readonly info: (message: string) => void;
  /** Starts everything. What it throws is what `start` rejects with. */
  readonly run: () => Promise<void>;
  /** Orderly shutdown. Has to be idempotent. */
  readonly shutDown: () => Promise<void>;
}

export class Shell extends k8sOperator.default {
  readonly #options: ShellOptions;

  constructor(options: ShellOptions) {
    const { info } = options;
    super({ debug: info, info, warn: info, error: info });
    this.#options = options;
  }

  /** Also begins the shutdown, whose end `stopped` tells. The base class would abort its watches here and take that for an error. */
  override stop(): void {
    void this.stopped();
  }

  /** Resolves when the orderly shutdown has ended; begins it when nobody has. Never ends the process: main.ts does. */
  stopped(): Promise<void> {
    return this.#options.shutDown();
  }

  protected override init(): Promise<void> {
    return this.#options.run();
  }

  /** The base class ends the process when a watch fails: whatever calls this is a mistake. */
  protected override watchResource(): Promise<void> {
    return Promise.reject(new Error('watch with operator/kube/watch.ts'));
  }
}
