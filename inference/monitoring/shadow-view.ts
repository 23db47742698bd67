// What is shown of the shadow: GET /model/shadow for people, and series for Prometheus.
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { histogramHead } from './distribution.ts';
import type { Shadow } from './shadow.ts';

export type ShadowReading = Pick<Shadow, 'peers' | 'disagreements'>;

export type ShadowView = ReturnType<typeof shadowView>;

/** Without a shadow it says that there are no peers. */
export function shadowView({ peers, disagreements }: ShadowReading = { peers: [], disagreements: [] }) {
  return {
    peers: peers.map(({ peer, agreement, dropped, waiting }) => ({
      name: peer.name,
      percent: peer.percent,
      waiting,
      dropped: Object.fromEntries(dropped),
      versions: agreement.pairs().map((pair) => ({ ...pair, agreement: pair.agreeing / pair.rows })),
    })),
    disagreements,
  };
}

/** The histograms of the differences, in Prometheus' text format. */
export function differencesText({ peers }: ShadowReading): string {
  const name = 'model_shadow_score_difference';
  const series = peers.map(({ peer, differences }) => differences.series(name, 'peer', peer.name));
  return histogramHead(name, 'Absolute difference of the scores of a row') + series.join('');
}

export function addShadowSeries(registry: Registry, shadow: ShadowReading): void {
  const registers = [registry];
  new Counter({
    name: 'model_shadow_rows_total',
    help: 'Rows of copied requests whose prediction by the peer was compared with ours',
    labelNames: ['peer', 'result'],
    registers,
    collect() {
      this.reset();
      for (const { peer, agreement } of shadow.peers) {
        const totals = Object.entries(agreement.totals());
        for (const [result, count] of totals) this.inc({ peer: peer.name, result }, count);
      }
    },
  });
  new Gauge({
    name: 'model_shadow_agreement_ratio',
    help: 'Share of the rows that both versions predict the same, since they met',
    labelNames: ['peer', 'version', 'peer_version'],
    registers,
    collect() {
      this.reset();
      for (const { peer, agreement } of shadow.peers) {
        for (const { version, peerVersion, agreeing, rows } of agreement.pairs()) {
          this.set({ peer: peer.name, version, peer_version: peerVersion }, agreeing / rows);
        }
      }
    },
  });
  addQueueSeries(registry, shadow);
}

function addQueueSeries(registry: Registry, shadow: ShadowReading): void {
  const registers = [registry];
  new Counter({
    name: 'model_shadow_dropped_total',
    help: 'Sampled requests that were not compared, by reason',
    labelNames: ['peer', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { peer, dropped } of shadow.peers) {
        for (const [reason, count] of dropped) this.inc({ peer: peer.name, reason }, count);
      }
    },
  });
  new Gauge({
    name: 'model_shadow_waiting',
    help: 'Copies that wait to be sent',
    labelNames: ['peer'],
    registers,
    collect() {
      this.reset();
      for (const { peer, waiting } of shadow.peers) this.set({ peer: peer.name }, waiting);
    },
  });
}
