// npm test: static checks, then the tests tier by tier, each with what it needs set up. Ends with one line that counts everything.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCI, projectRoot } from './cluster/config.ts';
import { isDockerUp, stopDockerWhenIdle } from './cluster/docker.ts';
import type { MissingPart } from './cluster/missing.ts';
import { oneOf, readCommandLine } from './command-line.ts';
import { prepareParts } from './preparation.ts';
import { runProgram } from './program.ts';
import { formatSeconds, showProgress } from './progress.ts';
import { add, countReport, summaryLine, type Counts } from './report.ts';
import { PARTS, selectParts, type Part } from './selection.ts';
import { staticChecks } from './static-checks.ts';

const HELP = `Runs the tests: static checks, unit, component (whole servers on loopback), clients (Python: clients of KServe, Triton and
MLServer, and servers of others), host (HAProxy, containers of the images), api (a real API server), cluster (a real node).

  npm test [-- [--only static|unit|component|clients|host|api|cluster]… [FILTER…]]

--only may be given several times. A FILTER is a part of a test file's path: only tiers with such a file run. With CI=true a tier that cannot run is a failure.
`;

/**
 * Parts that compute, and parts that mostly wait: both at the same time take two thirds of the time. More such lanes than two only disturb each other. A lane
 * that has ended takes over the last part that waits in the other one: any two may run together.
 */
const LANES: readonly (readonly Part[])[] = [
  ['static', 'unit', 'component', 'clients'],
  ['api', 'cluster'],
];
/** Mostly waits for programs to start and to drain: runs beside the first parts of both lanes. Behind them it left the processors idle and was waited for. */
const BESIDE: Part = 'host';

/** Where a part's output goes: at once where no other part is being shown, else in one piece when the part has ended, so that two at a time can be read. */
class Output {
  static #shown: Output | undefined;
  readonly isHeld: boolean;
  #held = '';

  constructor() {
    this.isHeld = Output.#shown !== undefined;
    if (!this.isHeld) Output.#shown = this;
  }

  write(text: string): void {
    if (this.isHeld) this.#held += text;
    else process.stdout.write(text);
  }

  close(): void {
    process.stdout.write(this.#held);
    if (!this.isHeld) Output.#shown = undefined;
  }
}

interface Run {
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Parts that this machine cannot run. */
  readonly missing: ReadonlyMap<Part, MissingPart>;
}

/** Starts a program of node_modules on our own Node. Ends with its exit status. */
async function runModule(path: string, args: readonly string[], { signal, output }: Run): Promise<number> {
  const child = spawn(process.execPath, [join(projectRoot, 'node_modules', path), ...args], {
    cwd: projectRoot,
    stdio: output.isHeld ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, PATH: `${join(projectRoot, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
  });
  // Ctrl-C reaches vitest by itself; it takes its instance down, and we wait for that.
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.write(text));
  }
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  signal.removeEventListener('abort', stop);
  return status;
}

async function runStatic(run: Run): Promise<Counts> {
  const checks = staticChecks(isCI);
  const statuses = await Promise.all(checks.map(({ program, args }) => runModule(program, args, run)));
  const failed = checks.map(({ name }) => name).filter((_, index) => statuses[index] !== 0);
  if (failed.length > 0) run.output.write(`Failed: ${failed.join(', ')}\n`);
  return { passed: statuses.length - failed.length, failed: failed.length };
}

async function runTests(project: string, filters: readonly string[], run: Run): Promise<Counts> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
  const file = join(dir, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const status = await runModule('vitest/vitest.mjs', ['run', '--project', project, ...reporters, ...filters], run);
    return countReport(await readFile(file, 'utf8').catch(() => undefined), status);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Runs one part. One that cannot run counts as failed only where it has to run. */
async function runPart(part: Part, filters: readonly string[], run: Run): Promise<Counts> {
  const missing = run.missing.get(part);
  if (missing !== undefined) {
    run.output.write(`Tier ${part} cannot run here: ${missing.message}\n`);
    return { passed: 0, failed: isCI ? 1 : 0 };
  }
  return part === 'static' ? runStatic(run) : runTests(part, filters, run);
}

/** One part after the other, until `next` has none. */
async function runLane(
  next: () => Part | undefined,
  filters: readonly string[],
  around: Omit<Run, 'output'>,
): Promise<Counts> {
  let total: Counts = { passed: 0, failed: 0 };
  for (let part = next(); part !== undefined && !around.signal.aborted; part = next()) {
    const startedMs = performance.now();
    const output = new Output();
    output.write(`\n== ${part}\n`);
    const counts = await runPart(part, filters, { ...around, output });
    total = add(total, counts);
    const seconds = formatSeconds((performance.now() - startedMs) / 1000);
    output.write(`== ${part}: ${summaryLine(counts)} in ${seconds}\n`);
    output.close();
  }
  return total;
}

async function prepare(parts: readonly Part[], signal: AbortSignal): Promise<Run['missing']> {
  const progress = showProgress();
  try {
    return await prepareParts(parts, { onProgress: progress.report, signal });
  } finally {
    progress.close();
  }
}

async function runParts(parts: readonly Part[], filters: readonly string[], signal: AbortSignal): Promise<Counts> {
  const missing = await prepare(parts, signal);
  const lanes = LANES.map((lane) => lane.filter((part) => parts.includes(part))).filter((lane) => lane.length > 0);
  // the lane that waits longest is to be seen first
  const totals = lanes.toReversed().map((lane) => {
    const next = (): Part | undefined => lane.shift() ?? lanes.find(({ length }) => length > 0)?.pop();
    return runLane(next, filters, { signal, missing });
  });
  const beside = parts.filter((part) => part === BESIDE);
  totals.push(runLane(() => beside.shift(), filters, { signal, missing }));
  return (await Promise.all(totals)).reduce(add, { passed: 0, failed: 0 });
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readCommandLine(args, { only: { type: 'string', multiple: true } });
  const only = values.only?.map((name) => oneOf('--only', name, PARTS)) ?? [];
  const parts = selectParts(
    only,
    words,
    globSync('{operator,inference,router,cli,test}/**/*.ts', { cwd: projectRoot }),
  );
  const usesDocker = parts.includes('cluster') || parts.includes('host');
  const dockerWasUp = usesDocker && (await isDockerUp());
  const total = await runParts(parts, words, signal);
  if (usesDocker && !dockerWasUp) await stopDockerWhenIdle(() => undefined);
  process.stdout.write(`\n${summaryLine(total)}\n`);
  return total.failed > 0 || signal.aborted ? 1 : 0;
}

await runProgram(HELP, main);
