// Trees alone, without HTTP: microseconds for one row of the forest, ours beside scikit-learn and onnxruntime, each in a process of its own on one core.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { run } from '../../cluster/command.ts';
import { quantile } from '../../demo/claims.ts';
import { asStep } from '../../progress.ts';
import { venv } from '../../python.ts';
import { fixturePath } from '../../support/inference-rig.ts';
import { FOREST, requestBodies } from '../bodies.ts';
import type { BenchResult, LocalContext } from '../suite.ts';
import { SERVER_CORE } from '../wrk.ts';

const ROUNDS = 5;
const PEERS = new URL('../peers/', import.meta.url);
/** Microseconds a row, of single rows and in batches of 100, for each evaluator of a process. */
const Times = z.record(z.string(), z.object({ single: z.number(), batch: z.number() }));
type Times = z.infer<typeof Times>;

export async function runEvaluator({ onProgress, signal }: LocalContext): Promise<BenchResult> {
  const folder = new URL('fastapi-onnx/', PEERS);
  const packages = await venv('fastapi-onnx', {
    requirements: new URL('requirements.txt', folder),
    onProgress,
    signal,
  });
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  try {
    const python = join(packages, 'bin/python');
    const [archive, onnx, rows] = [fixturePath(FOREST), join(dir, 'model.onnx'), join(dir, 'rows.json')];
    await run(python, [join(folder.pathname, 'convert.py'), archive, onnx], { timeoutMs: 120_000, signal });
    await writeFile(rows, JSON.stringify(requestBodies().rows.map((body) => rowOf(body))));
    const commands = [
      [process.execPath, new URL('evaluator.ts', PEERS).pathname, rows],
      [python, join(folder.pathname, 'evaluator.py'), archive, onnx, rows],
    ];
    const rounds: Times[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const step = { step: `Round ${round} of ${ROUNDS}`, expectedSeconds: 8 };
      await asStep(onProgress, step, async () => {
        for (const command of commands) rounds.push(await timesOf(command, signal));
      });
    }
    return resultOf(rounds);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function rowOf(body: string): number[] {
  const { rows } = JSON.parse(body) as { rows: [number[]] };
  return rows[0];
}

async function timesOf(command: readonly string[], signal: AbortSignal): Promise<Times> {
  const env = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const output = await run('taskset', ['-c', SERVER_CORE, ...command], { timeoutMs: 120_000, env, signal });
  return Times.parse(JSON.parse(output));
}

function resultOf(rounds: readonly Times[]): BenchResult {
  const median = (name: string, size: 'single' | 'batch') =>
    quantile(
      rounds.flatMap((times) => times[name]?.[size] ?? []),
      0.5,
    );
  const rows = (['single', 'batch'] as const).flatMap((size) =>
    ['switchyard', 'scikit-learn', 'onnxruntime'].map((name) => ({
      name: `us_per_row_${size}`,
      value: Math.round(median(name, size) * 100) / 100,
      unit: 'µs',
      ...(name !== 'switchyard' && {
        peer: name,
        ratio: Math.round((median('switchyard', size) / median(name, size)) * 1000) / 1000,
      }),
    })),
  );
  return {
    rows,
    notes: [
      `Forest of 100 trees, depth 10, 12 features, 500 rows in turn, one thread; medians of ${ROUNDS} processes each, in turns. batch: 100 rows a call.`,
    ],
  };
}
