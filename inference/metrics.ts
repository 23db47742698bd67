// What Prometheus reads: KServe's and MLServer's names where they have one for it. Buckets begin at 50 µs: a prediction takes less than the 5 ms at which
// Prometheus' own defaults begin.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { SlotView } from './model/reported.ts';

const SECONDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** One histogram with its labels bound. */
export interface Timer {
  observe(seconds: number): void;
}

export interface Metrics {
  readonly registry: Registry;
  readonly preprocess: Timer;
  readonly predict: Timer;
  readonly postprocess: Timer;
  /** Predictions answered with 200 (requests, not rows), of which the last line of the log tells the number too. */
  readonly served: () => number;
  readonly success: () => void;
  readonly failure: () => void;
  readonly reloaded: (result: string, durationMs: number) => void;
}

/** `slot` is read when scraped; so is `openConnections`. */
export function createMetrics(
  slot: () => SlotView | undefined,
  modelName: () => string,
  openConnections: () => number,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const stage = (name: string, help: string) => timer(registry, name, help, modelName);
  const success = tally(registry, 'model_infer_request_success', 'Inference requests answered', modelName);
  const failure = tally(registry, 'model_infer_request_failure', 'Inference requests refused or failed', modelName);
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
  gauges(registry, slot, openConnections);
  return {
    registry,
    preprocess: stage('request_preprocess_seconds', 'Time to read and check a request'),
    predict: stage('request_predict_seconds', 'Time to run the model'),
    postprocess: stage('request_postprocess_seconds', 'Time to write the answer'),
    served: success.count,
    success: success.add,
    failure: failure.add,
    reloaded: (result, durationMs) => {
      reloads.inc({ result });
      reloadSeconds.observe({ result }, durationMs / 1000);
    },
  };
}

function gauges(registry: Registry, slot: () => SlotView | undefined, openConnections: () => number): void {
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
  new Gauge({
    name: 'http_server_open_connections',
    help: 'Open connections of the public port',
    registers: [registry],
    collect() {
      this.set(openConnections());
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

function timer(registry: Registry, name: string, help: string, modelName: () => string): Timer {
  const histogram = new Histogram({ name, help, labelNames: ['model_name'], buckets: SECONDS, registers: [registry] });
  let bound: { readonly name: string; readonly child: Timer } | undefined;
  return {
    observe(seconds) {
      const model = modelName();
      if (bound?.name !== model) bound = { name: model, child: histogram.labels(model) };
      bound.child.observe(seconds);
    },
  };
}
