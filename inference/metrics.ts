// What Prometheus reads: KServe's and MLServer's names where they have one for it.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Connections } from './connections.ts';
import type { SlotView } from './model/reported.ts';
import type { Copies } from './monitoring/copies.ts';
import type { Counts } from './monitoring/counts.ts';
import { addModelGauges, addPayloadGauges } from './monitoring/gauges.ts';
import { addShadowSeries, differencesText } from './monitoring/shadow-view.ts';

export interface Metrics {
  /** All of it in Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly reloaded: (result: string, durationMs: number) => void;
}

export interface MetricsOptions {
  /** Read when scraped, as everything here. */
  readonly slot: () => SlotView | undefined;
  readonly modelName: () => string;
  readonly connections: Pick<Connections, 'open' | 'inFlight'>;
  readonly counts: Counts;
  readonly copies?: Copies;
  /** Those that answer beside the main one, and the share of the time that each of all was at work. */
  readonly threads?: { readonly count: number; readonly busy: readonly number[] };
  /** ONNX models in memory. */
  readonly onnxSessions?: () => number;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { slot, modelName, connections, counts, copies, threads, onnxSessions } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  requestCounters(registry, counts, modelName);
  slotGauges(registry, slot);
  connectionGauges(registry, connections);
  if (threads !== undefined && threads.count > 0) threadGauge(registry, threads);
  if (onnxSessions !== undefined) sessionGauge(registry, onnxSessions);
  addModelGauges(registry, counts.monitor, modelName);
  if (copies?.payloads !== undefined) addPayloadGauges(registry, copies.payloads);
  const shadow = copies?.shadow;
  if (shadow !== undefined) addShadowSeries(registry, shadow);
  const { preprocess, predict, postprocess } = counts;
  return {
    async text() {
      const timings = [preprocess, predict, postprocess].map((stage) => stage.text(modelName()));
      const differences = shadow === undefined ? [] : [differencesText(shadow)];
      return [await registry.metrics(), ...timings, ...differences].join('\n');
    },
    reloaded: reloadCounter(registry),
  };
}

/** Counts loads by how they ended, and how long they took. */
export function reloadCounter(registry: Registry): Metrics['reloaded'] {
  const reloads = new Counter({
    name: 'model_reload_total',
    help: 'Loads that ended, by status or reason',
    labelNames: ['result'],
    registers: [registry],
  });
  const reloadSeconds = new Histogram({
    name: 'model_reload_duration_seconds',
    help: 'Time from the call of a load to its end',
    labelNames: ['result'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [registry],
  });
  return (result, durationMs) => {
    reloads.inc({ result });
    reloadSeconds.observe({ result }, durationMs / 1000);
  };
}

/** Which model is in use. */
export function slotGauges(registry: Registry, slot: MetricsOptions['slot']): void {
  new Gauge({
    name: 'model_info',
    help: 'The model in use; always 1',
    labelNames: ['version', 'sha256', 'revision'],
    registers: [registry],
    collect() {
      this.reset();
      const active = slot()?.current?.active;
      if (active === undefined) return;
      this.set({ version: active.version, sha256: active.sha256, revision: active.revision ?? '' }, 1);
    },
  });
  new Gauge({
    name: 'model_ready',
    help: '1 when a model is loaded',
    registers: [registry],
    collect() {
      this.set(slot()?.current === undefined ? 0 : 1);
    },
  });
}

function threadGauge(registry: Registry, threads: { readonly busy: readonly number[] }): void {
  new Gauge({
    name: 'serving_thread_busy_ratio',
    help: 'Share of the last seconds that a serving thread was at work; 0 is the main one',
    labelNames: ['thread'],
    registers: [registry],
    collect() {
      for (const [thread, ratio] of threads.busy.entries()) this.set({ thread }, ratio);
    },
  });
}

function sessionGauge(registry: Registry, sessions: () => number): void {
  new Gauge({
    name: 'onnx_sessions',
    help: 'ONNX models in memory: the one in use, those that are held for a rollback, and one that is being loaded',
    registers: [registry],
    collect() {
      this.set(sessions());
    },
  });
}

function connectionGauges(registry: Registry, connections: MetricsOptions['connections']): void {
  new Gauge({
    name: 'http_server_open_connections',
    help: 'Open connections of the public port',
    registers: [registry],
    collect() {
      this.set(connections.open);
    },
  });
  new Gauge({
    name: 'rest_server_requests_in_progress',
    help: 'Requests of the public port that are not answered yet',
    registers: [registry],
    collect() {
      this.set(connections.inFlight);
    },
  });
}

/** Numbers that are counted in plain JavaScript and shown to Prometheus as counters. */
function requestCounters(registry: Registry, counts: Counts, modelName: () => string): void {
  const add = (name: string, help: string, total: () => number) =>
    new Counter({
      name,
      help,
      labelNames: ['model_name'],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ model_name: modelName() }, total());
      },
    });
  add('model_infer_request_success', 'Inference requests answered', () => counts.served);
  add('model_infer_request_failure', 'Inference requests refused or failed', () => counts.refused);
}
