// What Prometheus reads: KServe's and MLServer's names where they have one for it.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Connections } from './connections.ts';
import type { SlotView } from './model/reported.ts';
import type { DriftOptions } from './monitoring/drift.ts';
import type { Copies } from './monitoring/copies.ts';
import { addModelGauges, addPayloadGauges } from './monitoring/gauges.ts';
import { ModelMonitor } from './monitoring/monitor.ts';
import { addShadowSeries, differencesText } from './monitoring/shadow-view.ts';
import { Timing } from './monitoring/timing.ts';

export interface Metrics {
  /** All of it in Prometheus' text format, and the type of that. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
  /** What is told of every row and its answer. */
  readonly monitor: ModelMonitor;
  readonly preprocess: Timing;
  readonly predict: Timing;
  readonly postprocess: Timing;
  /** Predictions answered with 200 (requests, not rows), of which the last line of the log tells the number too. */
  readonly served: () => number;
  readonly success: () => void;
  readonly failure: () => void;
  readonly reloaded: (result: string, durationMs: number) => void;
}

export interface MetricsOptions {
  /** Read when scraped, as everything here. */
  readonly slot: () => SlotView | undefined;
  readonly modelName: () => string;
  readonly connections: Pick<Connections, 'open' | 'inFlight'>;
  /** Absent: nothing is predicted in this process. */
  readonly drift?: Omit<DriftOptions, 'clock'>;
  readonly copies?: Copies;
  /** ONNX models in memory. */
  readonly onnxSessions?: () => number;
}

export function createMetrics({ slot, modelName, connections, drift, copies, onnxSessions }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const success = tally(registry, 'model_infer_request_success', 'Inference requests answered', modelName);
  const failure = tally(registry, 'model_infer_request_failure', 'Inference requests refused or failed', modelName);
  slotGauges(registry, slot);
  connectionGauges(registry, connections);
  if (onnxSessions !== undefined) sessionGauge(registry, onnxSessions);
  const monitor = new ModelMonitor(drift);
  addModelGauges(registry, monitor, modelName);
  if (copies?.payloads !== undefined) addPayloadGauges(registry, copies.payloads);
  const shadow = copies?.shadow;
  if (shadow !== undefined) addShadowSeries(registry, shadow);
  const stages = {
    preprocess: new Timing('request_preprocess_seconds', 'Time to read and check a request'),
    predict: new Timing('request_predict_seconds', 'Time to run the model'),
    postprocess: new Timing('request_postprocess_seconds', 'Time to write the answer'),
  };
  return {
    contentType: registry.contentType,
    async text() {
      const timings = Object.values(stages).map((stage) => stage.text(modelName()));
      const differences = shadow === undefined ? [] : [differencesText(shadow)];
      return [await registry.metrics(), ...timings, ...differences].join('\n');
    },
    ...stages,
    monitor,
    served: success.count,
    success: success.add,
    failure: failure.add,
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

/** A number that is counted in plain JavaScript and shown to Prometheus as a counter. */
function tally(registry: Registry, name: string, help: string, modelName: () => string) {
  let total = 0;
  new Counter({
    name,
    help,
    labelNames: ['model_name'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ model_name: modelName() }, total);
    },
  });
  return {
    add: () => {
      total += 1;
    },
    count: () => total,
  };
}
