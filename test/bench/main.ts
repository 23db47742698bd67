// npm run bench: figures of the whole product on a real cluster of its own.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { diagnose } from '../demo/diagnosis.ts';
import { setUpStage } from '../demo/stage.ts';
import { runProgram } from '../program.ts';
import { showProgress } from '../progress.ts';
import { describeMachine, renderRows, type BenchResult, type Suite } from './suite.ts';
import { runReload } from './suites/reload.ts';
import { runSteady } from './suites/steady.ts';

const SUITES: Readonly<Record<string, Suite>> = {
  reload: {
    title: 'new artifact in S3 → every pod serves it, at rest and under load; about 2 minutes',
    run: runReload,
  },
  steady: { title: 'requests to the API server while nothing happens; 5 minutes, or --minutes', run: runSteady },
};

const HELP = `Benchmarks on a real cluster, which is started and removed again.

  npm run bench -- SUITE [--json FILE] [--minutes N]

--json FILE   writes the figures as rows {name, value, unit, peer?, ratio?}

Suites
${Object.entries(SUITES)
  .map(([name, { title }]) => `  ${name.padEnd(10)} ${title}\n`)
  .join('')}`;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'string' }, minutes: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const suite = SUITES[positionals[0] ?? ''];
  const minutes = Number(values.minutes ?? 5);
  const asksForHelp = values.help === true || positionals.length === 0;
  if (asksForHelp || suite === undefined || positionals.length > 1 || !(minutes > 0)) {
    process.stdout.write(HELP);
    return asksForHelp ? 0 : 2;
  }
  const machine = describeMachine();
  const { rows, notes } = await measure(suite, minutes, signal);
  process.stdout.write(`\n${machine}\n\n${renderRows(rows)}\n${notes.map((note) => `${note}\n`).join('')}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  return 0;
}

async function measure(suite: Suite, minutes: number, signal: AbortSignal): Promise<BenchResult> {
  const progress = showProgress();
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

await runProgram(main);
