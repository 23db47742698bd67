// Calls between two threads over one port. They arrive in the order in which they were made; arguments and results are plain data, which is copied.
import type { MessagePort, Worker } from 'node:worker_threads';

interface Called {
  /** 0: nobody waits for the answer. */
  readonly call: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answered =
  { readonly answer: number; readonly value: unknown } | { readonly answer: number; readonly error: unknown };

/** A function of the other side has one argument, or none. */
type Argument<F> = F extends (...given: infer A) => unknown ? A : never;
type Result<F> = F extends (...given: never) => infer R ? Awaited<R> : never;

/** `Theirs`: the functions of the other side. */
export class Line<Theirs> {
  readonly #port: Pick<Worker | MessagePort, 'postMessage'>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #end: Error | undefined;

  /** @param ours what the other side may call */
  constructor(port: Worker | MessagePort, ours: object) {
    this.#port = port;
    const functions = new Map<string, unknown>(Object.entries(ours));
    port.on('message', (message: Called | Answered) => {
      if ('answer' in message) this.#settle(message);
      else void this.#run(functions.get(message.name), message);
    });
  }

  /** Resolves to what the function answers; rejects with what it throws, which is a bug, or with the reason of `end`. */
  call<N extends keyof Theirs & string>(name: N, ...given: Argument<Theirs[N]>): Promise<Result<Theirs[N]>> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call = (this.#last += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(call, waiting);
    this.#post({ call, name, argument: given[0] });
    return waiting.promise as Promise<Result<Theirs[N]>>;
  }

  /** Calls a function whose answer is of no interest. */
  tell<N extends keyof Theirs & string>(name: N, ...given: Argument<Theirs[N]>): void {
    this.#post({ call: 0, name, argument: given[0] });
  }

  /** Nobody is there any more: calls that wait fail, and so do later ones. */
  end(reason: Error): void {
    this.#end ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  async #run(ours: unknown, { call, name, argument }: Called): Promise<void> {
    try {
      if (typeof ours !== 'function') throw new TypeError(`there is no ${name} to call`);
      const value: unknown = await Reflect.apply(ours, undefined, [argument]);
      if (call > 0) this.#post({ answer: call, value });
    } catch (error) {
      if (call === 0) throw error;
      this.#post({ answer: call, error });
    }
  }

  #settle(message: Answered): void {
    const waiting = this.#waiting.get(message.answer);
    this.#waiting.delete(message.answer);
    if ('value' in message) waiting?.resolve(message.value);
    else waiting?.reject(message.error);
  }

  #post(message: Called | Answered): void {
    this.#port.postMessage(message);
  }
}
