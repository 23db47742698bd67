// What is watched of the model, as Prometheus reads it.
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Drift } from './drift.ts';
import type { ModelMonitor } from './monitor.ts';
import type { PayloadLog } from './payload-log.ts';

export function addModelGauges(registry: Registry, monitor: ModelMonitor, modelName: () => string): void {
  const registers = [registry];
  new Counter({
    name: 'model_predictions_total',
    help: 'Rows by the class, cluster or side that was predicted',
    labelNames: ['model_name', 'class'],
    registers,
    collect() {
      this.reset();
      const model_name = modelName();
      for (const { label, count } of monitor.classes.read()) this.inc({ model_name, class: label }, count);
    },
  });
  const { drift } = monitor;
  if (drift === undefined) return;
  new Counter({
    name: 'model_feature_out_of_range_total',
    help: 'Values below the least or above the largest of the reference, or of a category that it does not have',
    labelNames: ['feature', 'side'],
    registers,
    collect() {
      this.reset();
      for (const { feature, side, total } of drift.outOfRange()) this.inc({ feature, side }, total);
    },
  });
  addDriftGauges(registry, drift, modelName);
}

function addDriftGauges(registry: Registry, drift: Drift, modelName: () => string): void {
  const registers = [registry];
  const psi = 'Population stability index against the reference, of';
  new Gauge({
    name: 'model_drift_window_rows',
    help: 'Rows in the window that is compared with the reference',
    registers,
    // Prometheus reads in this order: one reading serves all.
    collect() {
      const reading = drift.read();
      this.set(reading.rows);
      skipped.reset();
      skipped.inc(reading.skipped);
      feature.reset();
      for (const { name, psi } of reading.features) feature.set({ feature: name }, psi);
      prediction.reset();
      if (reading.prediction !== undefined) prediction.set({ model_name: modelName() }, reading.prediction);
      features.set({ state: 'watched' }, reading.watched);
      features.set({ state: 'ignored' }, reading.ignored);
    },
  });
  const skipped = new Counter({
    name: 'model_drift_rows_skipped_total',
    help: 'Rows whose features were not counted because counting may take half a hundredth of a core',
    registers,
  });
  const feature = new Gauge({
    name: 'model_feature_drift_psi',
    help: `${psi} each feature`,
    labelNames: ['feature'],
    registers,
  });
  const prediction = new Gauge({
    name: 'model_prediction_drift_psi',
    help: `${psi} the predictions`,
    labelNames: ['model_name'],
    registers,
  });
  const features = featuresGauge(registry);
}

function featuresGauge(registry: Registry): Gauge<'state'> {
  return new Gauge({
    name: 'model_drift_features',
    help: 'Features of the reference that are watched, and that are not because there are too many',
    labelNames: ['state'],
    registers: [registry],
  });
}

export function addPayloadGauges(registry: Registry, payloads: Pick<PayloadLog, 'read'>): void {
  const registers = [registry];
  const reading = () => payloads.read();
  new Counter({
    name: 'model_payloads_logged_total',
    help: 'Requests whose payload events were taken by the sink',
    registers,
    collect() {
      this.reset();
      this.inc(reading().sent);
    },
  });
  new Counter({
    name: 'model_payloads_dropped_total',
    help: 'Sampled requests whose payload events were dropped, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of reading().dropped) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'model_payloads_waiting',
    help: 'Requests whose payload events wait for the sink',
    registers,
    collect() {
      this.set(reading().waiting);
    },
  });
}
