// One attempt at a time: a newer one ends the one before it, and waits until that has let go.
import { LoadError } from '../errors.ts';

interface Attempt {
  readonly controller: AbortController;
  readonly done: Promise<unknown>;
}

export class Attempts {
  #current: Attempt | undefined;
  #isClosed = false;

  isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Runs `work` when the attempt before has ended. Its signal says that a newer one waits, or that all is over. Throws what `work` throws. */
  async run(work: (end: AbortSignal) => Promise<void>): Promise<void> {
    const before = this.#current;
    before?.controller.abort(new LoadError('Superseded', 'A newer load has begun'));
    const controller = new AbortController();
    if (this.#isClosed) controller.abort(closing());
    const done = (before?.done ?? Promise.resolve()).then(() => work(controller.signal));
    const attempt = { controller, done: done.catch(() => undefined) };
    this.#current = attempt;
    try {
      await done;
    } finally {
      if (this.#current === attempt) this.#current = undefined;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.controller.abort(closing());
  }
}

function closing(): LoadError {
  return new LoadError('Superseded', 'The adapter is shutting down');
}
