// Owns the sessions of the ONNX Runtime, whose calls block the thread that makes them: in a worker thread they hold up no request of another kind.
import { parentPort } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Answered, Asked, Column, Order, Outcome } from './protocol.ts';
import type { Input, InputType } from './signature.ts';

type Runtime = typeof Ort;
interface Open {
  readonly session: InferenceSession;
  readonly inputs: readonly Input[];
}

/** One thread, one operator after the other: more threads help batches only, and take a core from the server. */
const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
};

const sessions = new Map<number, Open>();
let runtime: Runtime | undefined;

/** The runtime puts calls off to a later turn: one after the other, so that a release comes after what was asked before it. */
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (asked: Asked) => {
  last = last.then(() => answer(asked));
});

async function answer({ id, ...order }: Asked): Promise<void> {
  const outcome = await outcomeOf(order);
  const answered: Answered = { ...outcome, id };
  const column = outcome.ok ? outcome.column : undefined;
  parentPort?.postMessage(answered, column instanceof Float64Array ? [column.buffer] : []);
}

async function outcomeOf(order: Order): Promise<Outcome> {
  try {
    runtime ??= await import('onnxruntime-node');
  } catch (error) {
    return { ok: false, missing: true, message: messageOf(error) };
  }
  try {
    if (order.do === 'run') return { ok: true, column: await run(runtime, order) };
    if (order.do === 'open') {
      const session = await runtime.InferenceSession.create(order.file, OPTIONS);
      sessions.set(order.session, { session, inputs: order.inputs });
    } else await release(order.session);
    return { ok: true };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function release(id: number): Promise<void> {
  const open = sessions.get(id);
  sessions.delete(id);
  await open?.session.release();
}

async function run(ort: Runtime, { session: id, rows, count, output }: Order & { do: 'run' }): Promise<Column> {
  const open = sessions.get(id);
  if (open === undefined) throw new Error(`session ${id} is closed`);
  const feeds: Record<string, Tensor> = {};
  const width = count === 0 ? 0 : rows.length / count;
  let start = 0;
  for (const { name, type, columns, rank } of open.inputs) {
    const values = columns === width ? rows : columnOf(rows, start, width);
    feeds[name] = tensor(ort, type, values, rank === 1 ? [count] : [count, columns]);
    start += columns;
  }
  const found = (await open.session.run(feeds, [output]))[output];
  if (found === undefined) throw new Error(`there is no output ${output}`);
  const { data } = found;
  // a copy: the runtime's memory cannot be handed to another thread
  return Array.isArray(data) ? data : Float64Array.from(data as Iterable<number | bigint>, Number);
}

function columnOf(rows: Float64Array, start: number, width: number): Float64Array {
  return Float64Array.from({ length: rows.length / width }, (_, row) => rows[row * width + start] ?? NaN);
}

function tensor({ Tensor }: Runtime, type: InputType, values: Float64Array, shape: readonly number[]): Tensor {
  switch (type) {
    case 'float32':
      return new Tensor('float32', Float32Array.from(values), shape);
    case 'float64':
      return new Tensor('float64', values, shape);
    case 'int32':
      return new Tensor('int32', Int32Array.from(values), shape);
    case 'int64':
      return new Tensor(
        'int64',
        BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))),
        shape,
      );
    case 'bool':
      return new Tensor(
        'bool',
        Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)),
        shape,
      );
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
