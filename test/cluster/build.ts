// Builds Go programs and tells how far it is: a Go build is silent for minutes.
import { run } from './command.ts';
import type { OnProgress } from '../progress.ts';

export interface GoBuild {
  /** Title for the progress display. */
  readonly step: string;
  /** Folder of the Go module. */
  readonly dir: string;
  /** The Go command, which says what it compiles. */
  readonly command: 'build' | 'install';
  /** Its arguments beside {@link COMPILER_FLAGS}. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly expectedSeconds: number;
  /** How many packages there are to compile, to show a percentage. Counted by {@link countStalePackages}, or from experience. */
  readonly packages: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

const BUILD_TIMEOUT_MS = 45 * 60_000;
/** The compiler spends a quarter of its time on collecting garbage that its end would free as well. */
const COMPILER_MEMORY = { GOGC: 'off', GOMEMLIMIT: '3GiB' };
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
  await run('go', [build.command, '-v', ...COMPILER_FLAGS, ...build.args], {
    cwd: build.dir,
    env: { CGO_ENABLED: '0', ...COMPILER_MEMORY, ...build.env },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal: build.signal,
    onErrorLine,
  });
  onProgress({ step, done: true });
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
  const options = { cwd: dir, env: { CGO_ENABLED: '0' }, timeoutMs: BUILD_TIMEOUT_MS, signal, onErrorLine };
  const listed = await run('go', ['list', '-deps', ...COMPILER_FLAGS, '-f', format, '.'], options);
  onProgress({ step, done: true });
  return Math.max(1, listed.split('\n').filter((line) => line !== '').length);
}
