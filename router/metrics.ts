// Prometheus metrics of the agent. Those of the requests come from HAProxy's own exporter on STATUS_PORT.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PassOutcome } from './agent.ts';
import { appliedOf } from './desired.ts';

export interface RouterMetrics {
  readonly text: () => Promise<string>;
  readonly countPass: (outcome: PassOutcome) => void;
  readonly countApiFailure: () => void;
}

const PREFIX = 'switchyard_router';

/** Fresh metrics in a registry of their own. */
export function createMetrics(): RouterMetrics {
  const registers = [new Registry()];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `${PREFIX}_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `${PREFIX}_${name}`, help, labelNames, registers });

  const passes = counter('passes_total', 'Passes over HAProxy by result', ['result']);
  const seconds = new Histogram({
    name: `${PREFIX}_pass_seconds`,
    help: 'Duration of a pass',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const commits = counter('map_commits_total', 'Maps replaced in HAProxy');
  const refusals = counter('refused_commands_total', 'Server commands that HAProxy refused');
  const apiFailures = counter('api_failures_total', 'Failed lists and watches of the API server');
  const generation = gauge('table_generation', 'Generation of the committed table');
  const servers = gauge('slot_servers', 'Servers of a slot that take requests', ['slot', 'variant']);
  const buckets = gauge('slot_buckets', 'Hash buckets served by a slot, of 10000', ['slot', 'variant']);

  return {
    text: async () => (await Promise.all(registers.map((registry) => registry.metrics()))).join('\n'),
    countApiFailure: () => apiFailures.inc(),
    countPass({ durationMs, result }) {
      passes.inc({ result: result === undefined ? 'failed' : 'done' });
      seconds.observe(durationMs / 1000);
      if (result === undefined) return;
      commits.inc(result.commits);
      refusals.inc(result.refused);
      const applied = appliedOf(result.actual, undefined);
      generation.set(applied.generation);
      servers.reset();
      buckets.reset();
      for (const slot of applied.slots) {
        const labels = { slot: String(slot.slot), variant: slot.variant };
        servers.set(labels, slot.servers);
        buckets.set(labels, slot.buckets);
      }
    },
  };
}
