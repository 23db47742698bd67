import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { aSum } from '../../test/support/an-onnx-file.ts';
import { readOnnx } from './file.ts';
import { OnnxSessions } from './sessions.ts';

const never = new AbortController().signal;
const WORKER = new URL('./worker.ts', import.meta.url);
const ONES = new Float64Array(4).fill(1);

let sessions: OnnxSessions;
afterEach(() => sessions.close());

describe('OnnxSessions', () => {
  it('counts the sessions that are open, and answers from each', async () => {
    sessions = new OnnxSessions();
    const one = await sessions.open(readOnnx(aSum(4, 1)), never);
    const ten = await sessions.open(readOnnx(aSum(4, 10)), never);

    expect(await Promise.all([one.run('y', ONES, 1), ten.run('y', ONES, 1)])).toEqual([
      Float64Array.of(4),
      Float64Array.of(40),
    ]);
    expect(sessions.count).toBe(2);

    one.release();
    one.release();

    expect(sessions.count).toBe(1);
    await expect(one.run('y', ONES, 1)).rejects.toMatchObject({ status: 503 });
  });

  it('answers what was asked before a release', async () => {
    sessions = new OnnxSessions();
    const session = await sessions.open(readOnnx(aSum(4, 1)), never);

    const answer = session.run('y', ONES, 1);
    session.release();

    expect(await answer).toEqual(Float64Array.of(4));
  });

  it('leaves the rows to the caller', async () => {
    sessions = new OnnxSessions();
    const session = await sessions.open(readOnnx(aSum(4, 1)), never);

    await session.run('y', ONES, 1);

    expect(ONES).toEqual(new Float64Array(4).fill(1));
  });

  it('holds nothing for a file that the runtime refuses, or for a load that was given up', async () => {
    sessions = new OnnxSessions();
    const file = readOnnx(aSum(4, 1));
    const broken = { ...file, onnx: file.onnx.slice(0, -6) };
    const abort = new AbortController();

    await expect(sessions.open(broken, never)).rejects.toMatchObject({ reason: 'LoadFailed' });
    const opening = sessions.open(file, abort.signal);
    abort.abort(new Error('given up'));

    await expect(opening).rejects.toThrow('given up');
    expect(sessions.count).toBe(0);
  });

  it('refuses more calls than it may keep', async () => {
    sessions = new OnnxSessions();
    const session = await sessions.open(readOnnx(aSum(4, 1)), never);

    const calls = await Promise.allSettled(Array.from({ length: 1025 }, () => session.run('y', ONES, 1)));

    expect(calls.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { status: 503 } }]);
  });

  it('fails what waits when the worker ends, tells of it once, and starts another', async () => {
    const workers: Worker[] = [];
    let losses = 0;
    sessions = new OnnxSessions(() => {
      const worker = new Worker(WORKER);
      workers.push(worker);
      return worker;
    });
    sessions.onLost = () => void (losses += 1);
    const lost = await sessions.open(readOnnx(aSum(4, 1)), never);

    const [waiting] = await Promise.allSettled([lost.run('y', ONES, 1), workers[0]?.terminate()]);
    const next = await sessions.open(readOnnx(aSum(4, 2)), never);

    expect(waiting).toMatchObject({ status: 'rejected', reason: { status: 503 } });
    expect(losses).toBe(1);
    expect(sessions.count).toBe(1);
    expect(await next.run('y', ONES, 1)).toEqual(Float64Array.of(8));
    await expect(lost.run('y', ONES, 1)).rejects.toMatchObject({ status: 503 });
  });

  it('says what to install where the runtime is missing', async () => {
    const code = `require('node:worker_threads').parentPort.on('message', ({ id }, port) =>
      require('node:worker_threads').parentPort.postMessage({ id, ok: false, missing: true, message: 'Cannot find package' }));`;
    sessions = new OnnxSessions(() => new Worker(code, { eval: true }));

    const opening = sessions.open(readOnnx(aSum(4, 1)), never);

    await expect(opening).rejects.toMatchObject({ reason: 'UnsupportedModel' });
    await expect(opening).rejects.toThrow('install onnxruntime-node');
  });
});
