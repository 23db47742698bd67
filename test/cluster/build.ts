// Builds Go programs and tells how far it is: a Go build is silent for minutes.
import { availableParallelism } from 'node:os';
import { run, tryRun } from './command.ts';
import type { OnProgress } from '../progress.ts';

export interface GoBuild {
  /** Title for the progress display. */
  readonly step: string;
  /** Folder of the Go module. */
  readonly dir: string;
  /** The Go command, which says what it compiles. */
  readonly command: 'build' | 'install';
  /** Its arguments beside those of all builds. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly expectedSeconds: number;
  /** How many packages there are to compile, to show a percentage. Counted by {@link countStalePackages}, or from experience. */
  readonly packages: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

const BUILD_TIMEOUT_MS = 45 * 60_000;
/** As many compilers at a time as there are processors. */
const COMPILERS = availableParallelism();
const BUILD_ENV = { CGO_ENABLED: '0' };
const COMPILER_ENV = {
  ...BUILD_ENV,
  // The compiler spends a third of its time on collecting garbage that its end would free as well.
  GOGC: 'off',
  GOMEMLIMIT: '3GiB',
  // Where each has all processors for itself, they wait for each other: an eighth of the time, on two processors. The linker gets no more than they.
  GOMAXPROCS: String(Math.max(1, Math.floor(COMPILERS / 2))),
};
/**
 * What is waited for is the compiler, not the program: without inlining and debugging data it has a third less to do (measured: k8s.io/api/core/v1 and all
 * below it, 40 to 47 s of processor time instead of 59 to 60, and 70 to 72 with debugging data too).
 */
export const COMPILER_FLAGS = ['-trimpath', '-gcflags=all=-dwarf=false -l'] as const;
const PACKAGE_LINE = /^[\w.~-]+(\/[\w.~-]+)*$/;

/** Go prints one line for each package when it starts to compile it (`-v`), and others for downloads and warnings. */
export function isPackageLine(line: string): boolean {
  return PACKAGE_LINE.test(line);
}

/** Compiles and reports the share of packages that it has reached. */
export async function buildGo(build: GoBuild): Promise<void> {
  const { step, onProgress } = build;
  let compiled = 0;
  let downloads = 0;
  const onErrorLine = (line: string): void => {
    if (line.startsWith('go: downloading')) {
      downloads += 1;
      onProgress({ step, detail: `${String(downloads)} modules downloaded` });
    }
    if (!isPackageLine(line)) return;
    compiled += 1;
    const fraction = Math.min(compiled / build.packages, 0.99);
    onProgress({
      step,
      fraction,
      detail: compiled >= build.packages ? 'linking' : `package ${String(compiled)} of ${String(build.packages)}`,
    });
  };
  onProgress({ step, expectedSeconds: build.expectedSeconds });
  await run('go', [build.command, '-v', '-p', String(COMPILERS), ...COMPILER_FLAGS, ...build.args], {
    cwd: build.dir,
    env: { ...COMPILER_ENV, ...build.env },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal: build.signal,
    onErrorLine,
  });
  onProgress({ step, done: true });
}

/** Downloads what `go install` of this program will need, and compiles nothing. What fails here, the build tells. */
export async function downloadAhead(program: string, signal?: AbortSignal): Promise<void> {
  const options = { env: BUILD_ENV, timeoutMs: BUILD_TIMEOUT_MS, signal };
  await tryRun('go', ['install', '-n', ...COMPILER_FLAGS, program], options);
}

/** Downloads what the package needs, then counts what Go's own cache does not hold yet. */
export async function countStalePackages(dir: string, onProgress: OnProgress, signal?: AbortSignal): Promise<number> {
  const step = 'Downloading Go modules';
  let downloads = 0;
  const onErrorLine = (line: string): void => {
    if (!line.startsWith('go: downloading')) return;
    downloads += 1;
    onProgress({ step, detail: String(downloads) });
  };
  onProgress({ step, expectedSeconds: 20 });
  const format = '{{if .Stale}}{{.ImportPath}}{{end}}';
  const options = { cwd: dir, env: BUILD_ENV, timeoutMs: BUILD_TIMEOUT_MS, signal, onErrorLine };
  const listed = await run('go', ['list', '-deps', ...COMPILER_FLAGS, '-f', format, '.'], options);
  onProgress({ step, done: true });
  return Math.max(1, listed.split('\n').filter((line) => line !== '').length);
}
