// What a benchmark is, and how its figures are shown.
import { cpus, loadavg, release, totalmem } from 'node:os';
import { KUBERNETES_VERSION } from '../cluster/config.ts';
import { renderTable } from '../demo/table.ts';
import type { Stage } from '../demo/stage.ts';
import type { OnProgress } from '../progress.ts';

/** One figure; `ratio` is ours to the peer's. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly ratio?: number;
}

export interface BenchContext {
  readonly stage: Stage;
  readonly onProgress: OnProgress;
  /** How long a suite observes that observes for a time. */
  readonly minutes: number;
}

/** For suites that need no cluster. */
export type LocalContext = Pick<BenchContext, 'onProgress'> & { readonly signal: AbortSignal };

export interface BenchResult {
  readonly rows: readonly BenchRow[];
  /** How it was measured and what was seen beside the figures. */
  readonly notes: readonly string[];
}

interface ClusterSuite {
  readonly title: string;
  readonly on: 'cluster';
  readonly run: (context: BenchContext) => Promise<BenchResult>;
}

interface LocalSuite {
  readonly title: string;
  readonly on: 'machine';
  readonly run: (context: LocalContext) => Promise<BenchResult>;
}

export type Suite = ClusterSuite | LocalSuite;

export function renderRows(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ name, value, unit, peer, ratio }) => [
    name,
    String(value),
    unit,
    peer ?? '',
    ratio === undefined ? '' : String(ratio),
  ]);
  const hasPeers = rows.some(({ peer }) => peer !== undefined);
  const width = hasPeers ? 5 : 3;
  return renderTable(
    ['name', 'value', 'unit', 'peer', 'ratio'].slice(0, width),
    cells.map((row) => row.slice(0, width)),
  );
}

/** One line: figures of different machines cannot be compared. The load tells whether others were at work. */
export function describeMachine(): string {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return (
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${gibibytes} GiB, Linux ${release()}, ` +
    `Node ${process.version}, Kubernetes ${KUBERNETES_VERSION}; load average before: ${load}`
  );
}
