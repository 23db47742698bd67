// npm run bench: figures of the whole product on a real cluster of its own.
import { writeFile } from 'node:fs/promises';
import { HelpWanted, noMoreWords, oneOf, readCommandLine, UsageError } from '../command-line.ts';
import { diagnose } from '../demo/diagnosis.ts';
import { setUpStage } from '../demo/stage.ts';
import { runProgram } from '../program.ts';
import { showProgress } from '../progress.ts';
import { describeMachine, renderRows, type BenchResult, type Suite } from './suite.ts';
import { runEvaluator } from './suites/evaluator.ts';
import { runInference } from './suites/inference.ts';
import { runMonitoring } from './suites/monitoring.ts';
import { runReload } from './suites/reload.ts';
import { runSteady } from './suites/steady.ts';
import { runThreads } from './suites/threads.ts';

const SUITES = {
  inference: {
    on: 'machine',
    title: 'the model server beside Python servers, one core each: requests/s, latency, memory; about 8 minutes',
    run: runInference,
  },
  evaluator: {
    on: 'machine',
    title: 'microseconds a row beside scikit-learn and onnxruntime; about 1 minute',
    run: runEvaluator,
  },
  monitoring: {
    on: 'machine',
    title: 'the model server with drift beside itself without; about 2 minutes',
    run: runMonitoring,
  },
  threads: {
    on: 'machine',
    title: 'the model server with one and with two serving threads; about 1 minute',
    run: runThreads,
  },
  reload: {
    on: 'cluster',
    title: 'new artifact in S3 → every pod serves it, at rest and under load; about 2 minutes',
    run: runReload,
  },
  steady: {
    on: 'cluster',
    title: 'requests to the API server while nothing happens; 5 minutes, or --minutes',
    run: runSteady,
  },
} satisfies Readonly<Record<string, Suite>>;

const HELP = `Benchmarks, on this machine or on a real cluster, which is started and removed again.

  npm run bench -- SUITE [--json FILE] [--minutes N]

--json FILE   writes the figures as rows {name, value, unit, peer?, ratio?}

Suites
${Object.entries(SUITES)
  .map(([name, { title }]) => `  ${name.padEnd(10)} ${title}\n`)
  .join('')}`;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readCommandLine(args, { json: { type: 'string' }, minutes: { type: 'string' } });
  if (words[0] === undefined) throw new HelpWanted();
  const suite =
    SUITES[oneOf('suite', words[0], ['inference', 'evaluator', 'monitoring', 'threads', 'reload', 'steady'])];
  noMoreWords(words, 1);
  const minutes = Number(values.minutes ?? 5);
  if (!(minutes > 0)) throw new UsageError(`--minutes takes a number above 0, not "${values.minutes ?? ''}".`);
  const machine = describeMachine();
  const { rows, notes } = await measure(suite, minutes, signal);
  process.stdout.write(`\n${machine}\n\n${renderRows(rows)}\n${notes.map((note) => `${note}\n`).join('')}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  return 0;
}

async function measure(suite: Suite, minutes: number, signal: AbortSignal): Promise<BenchResult> {
  const progress = showProgress();
  if (suite.on === 'machine') return suite.run({ onProgress: progress.report, signal }).finally(progress.close);
  const stage = await setUpStage({ keep: false, onProgress: progress.report, signal });
  try {
    return await suite.run({ stage, onProgress: progress.report, minutes });
  } catch (error) {
    if (!signal.aborted) process.stdout.write(await diagnose(stage));
    throw error;
  } finally {
    progress.close();
    await stage.close();
  }
}

await runProgram(HELP, main);
