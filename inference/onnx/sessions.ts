// The serving thread's side of the ONNX worker: opens, runs, counts and releases sessions. The worker starts with the first of them; when it ends by
// itself, every session is lost and whoever answers for the models is told, and the next one starts another worker.
import { Worker } from 'node:worker_threads';
import { HttpError } from '../errors.ts';
import { ModelError } from '../model/errors.ts';
import type { OnnxFile } from './file.ts';
import type { Answered, Asked, Column, Order, Outcome, RunOrder } from './protocol.ts';

/** Beside this file in the sources, beside main.js in a bundle. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './onnx-worker.js', import.meta.url);
/** Calls that wait for the worker: beyond that a request is refused rather than kept. */
const MOST_WAITING = 1024;
const GONE = 'The model is being loaded again';
const HEAP_MB = 256; // objects of the worker; sessions are outside

/** One model in the worker. */
export interface Session {
  readonly id: number;
  /** The output of that name for `count` rows, which are copied. Throws HttpError 503 when the worker has ended or too much waits for it. */
  run(output: string, rows: Float64Array, count: number): Promise<Column>;
  /** Frees its memory; calls that wait are still answered. */
  release(): void;
}

interface Waiting {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

export class OnnxSessions {
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #waiting = new Map<number, Waiting>();
  /** How many use each session. */
  readonly #open = new Map<number, number>();
  #last = 0;
  /** Told when the worker ended by itself and took sessions with it. */
  onLost: (() => void) | undefined;

  constructor(start: () => Worker = startWorker) {
    this.#start = start;
  }

  /** Sessions that hold memory. */
  get count(): number {
    return this.#open.size;
  }

  /** Opens a file, whose bytes are handed over. Throws ModelError, the reason of `signal`, HttpError 503. */
  async open({ onnx, signature: { inputs } }: OnnxFile, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const session = (this.#last += 1);
    this.#open.set(session, 1);
    try {
      const outcome = await this.#ask({ do: 'open', session, file: onnx, inputs }, [onnx.buffer]);
      if (!outcome.ok) throw refused(outcome);
      signal.throwIfAborted();
    } catch (error) {
      this.release(session);
      throw error;
    }
    return {
      id: session,
      run: (output, rows, count) => this.run({ session, output, rows: rows.slice(), count }),
      release: () => this.release(session),
    };
  }

  /** Keeps a session for one more user, who releases it too. Throws HttpError 503 when it is gone. */
  keep(session: number): void {
    const users = this.#open.get(session);
    if (users === undefined) throw new HttpError(503, GONE);
    this.#open.set(session, users + 1);
  }

  /** See `Session.run`; takes the rows away. */
  async run(call: Omit<RunOrder, 'do'>): Promise<Column> {
    if (!this.#open.has(call.session)) throw new HttpError(503, GONE);
    if (this.#waiting.size >= MOST_WAITING) throw new HttpError(503, 'Too many requests wait for the ONNX model');
    const outcome = await this.#ask({ do: 'run', ...call }, [call.rows.buffer]);
    if (!outcome.ok) throw new Error(`the ONNX Runtime failed: ${outcome.message}`);
    return outcome.column ?? new Float64Array();
  }

  /** One user less: after the last one its memory is free. */
  release(session: number): void {
    const users = this.#open.get(session);
    if (users === undefined) return;
    if (users > 1) return void this.#open.set(session, users - 1);
    this.#open.delete(session);
    this.#ask({ do: 'release', session }, []).catch(() => undefined);
  }

  /** Ends the worker with all its sessions. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#forget(new HttpError(503, 'The server is shutting down'));
    await worker?.terminate();
  }

  #ask(order: Order, moved: readonly ArrayBuffer[]): Promise<Outcome> {
    const worker = (this.#worker ??= this.#started());
    const id = (this.#last += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const asked: Asked = { ...order, id };
      worker.postMessage(asked, moved);
    });
  }

  #started(): Worker {
    const worker = this.#start();
    worker.on('message', ({ id, ...outcome }: Answered) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.resolve(outcome);
    });
    const ended = () => {
      if (this.#worker !== worker) return;
      const lost = this.#open.size;
      this.#forget(new HttpError(503, 'The ONNX worker has ended; the model is being loaded again'));
      if (lost > 0) this.onLost?.();
    };
    worker.on('error', ended);
    worker.on('exit', ended);
    worker.unref();
    return worker;
  }

  #forget(reason: Error): void {
    this.#worker = undefined;
    this.#open.clear();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

function startWorker(): Worker {
  return new Worker(WORKER, { env: {}, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
}

function refused({ message, missing }: Outcome & { ok: false }): ModelError {
  if (missing === true) {
    return new ModelError(
      'UnsupportedModel',
      `ONNX models need the ONNX Runtime, which this installation lacks: use the image with ONNX, or install onnxruntime-node (${message})`,
    );
  }
  return new ModelError('LoadFailed', `the ONNX Runtime does not take the file: ${message}`);
}
