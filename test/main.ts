// npm test: static checks, then the tests tier by tier, each with what it needs set up. Ends with one line that counts everything.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareClients } from './clients/environments.ts';
import { isCI, projectRoot } from './cluster/config.ts';
import { isDockerUp, stopDockerWhenIdle } from './cluster/docker.ts';
import { MissingPart } from './cluster/missing.ts';
import { prepareApi, prepareCluster } from './cluster/prepare.ts';
import { oneOf, readCommandLine } from './command-line.ts';
import { runProgram } from './program.ts';
import { formatSeconds, showProgress, type OnProgress } from './progress.ts';
import { add, countReport, summaryLine, type Counts } from './report.ts';
import { PARTS, selectParts, type Part } from './selection.ts';

const HELP = `Runs the tests: static checks, unit, component (whole servers on loopback), clients (those of KServe, Triton and MLServer),
api (a real API server), cluster (a real node).

  npm test [-- [--only static|unit|component|clients|api|cluster]… [FILTER…]]

--only may be given several times. A FILTER is a part of a test file's path: only tiers with such a file run. With CI=true a tier that cannot run is a failure.
`;

const CHECKS = {
  prettier: ['prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  tsc: ['typescript/bin/tsc', '--noEmit'],
  eslint: ['eslint/bin/eslint.js', '.'],
} as const;

/** Starts a program of node_modules on our own Node; its output is ours. Ends with its exit status. */
async function runModule(path: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [join(projectRoot, 'node_modules', path), ...args], {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(projectRoot, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
  });
  // Ctrl-C reaches vitest by itself; it takes its instance down, and we wait for that.
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const status = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  signal.removeEventListener('abort', stop);
  return status;
}

async function runStatic(signal: AbortSignal): Promise<Counts> {
  const statuses = await Promise.all(Object.values(CHECKS).map(([path, ...args]) => runModule(path, args, signal)));
  const failed = Object.keys(CHECKS).filter((_, index) => statuses[index] !== 0);
  if (failed.length > 0) process.stdout.write(`Failed: ${failed.join(', ')}\n`);
  return { passed: statuses.length - failed.length, failed: failed.length };
}

async function runTests(project: string, filters: readonly string[], signal: AbortSignal): Promise<Counts> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
  const file = join(dir, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const status = await runModule(
      'vitest/vitest.mjs',
      ['run', '--project', project, ...reporters, ...filters],
      signal,
    );
    return countReport(await readFile(file, 'utf8').catch(() => undefined), status);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Runs one part after it has what it needs. A part that cannot run counts as failed only where it has to run. */
async function runPart(part: Part, filters: readonly string[], signal: AbortSignal): Promise<Counts> {
  const progress = showProgress();
  try {
    await prepare(part, progress.report, signal);
  } catch (error) {
    if (!(error instanceof MissingPart)) throw error;
    process.stdout.write(`Tier ${part} cannot run here: ${error.message}\n`);
    return { passed: 0, failed: isCI ? 1 : 0 };
  } finally {
    progress.close();
  }
  return part === 'static' ? runStatic(signal) : runTests(part, filters, signal);
}

async function prepare(part: Part, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  if (part === 'clients') await prepareClients({ onProgress, signal });
  if (part === 'api') await prepareApi({ onProgress, signal });
  if (part === 'cluster') await prepareCluster({ onProgress, signal });
}

async function runParts(parts: readonly Part[], filters: readonly string[], signal: AbortSignal): Promise<Counts> {
  let total: Counts = { passed: 0, failed: 0 };
  for (const part of parts) {
    if (signal.aborted) break;
    const startedMs = performance.now();
    process.stdout.write(`\n== ${part}\n`);
    const counts = await runPart(part, filters, signal);
    total = add(total, counts);
    process.stdout.write(
      `== ${part}: ${summaryLine(counts)} in ${formatSeconds((performance.now() - startedMs) / 1000)}\n`,
    );
  }
  return total;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readCommandLine(args, { only: { type: 'string', multiple: true } });
  const only = values.only?.map((name) => oneOf('--only', name, PARTS)) ?? [];
  const parts = selectParts(only, words, globSync('{operator,inference,router,test}/**/*.ts', { cwd: projectRoot }));
  const dockerWasUp = parts.includes('cluster') && (await isDockerUp());
  const total = await runParts(parts, words, signal);
  if (parts.includes('cluster') && !dockerWasUp) await stopDockerWhenIdle(() => undefined);
  process.stdout.write(`\n${summaryLine(total)}\n`);
  return total.failed > 0 || signal.aborted ? 1 : 0;
}

await runProgram(HELP, main);
