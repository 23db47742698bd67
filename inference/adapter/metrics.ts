// What Prometheus reads of an adapter: which model the container beside it has, and how loads went. Predictions are the container's own to count.
import { Registry, collectDefaultMetrics } from 'prom-client';
import { reloadCounter, slotGauges } from '../metrics.ts';
import type { Metrics } from '../metrics.ts';
import type { SlotView } from '../model/reported.ts';

/** `slot` is read when scraped. */
export function createAdapterMetrics(slot: () => SlotView): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  slotGauges(registry, slot);
  return {
    text: () => registry.metrics(),
    reloaded: reloadCounter(registry),
  };
}
