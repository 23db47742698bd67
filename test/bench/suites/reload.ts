// How fast a new artifact reaches the pods, at rest and under load: alternating artifacts over one key.
import { asStep } from '../../progress.ts';
import { readArtifact, type Artifact } from '../../demo/artifacts.ts';
import { quantile } from '../../demo/claims.ts';
import { reload, type ReloadTimes } from '../../demo/reload.ts';
import { BLUE } from '../../demo/show.ts';
import { FIRST_EXPECTATION, serve, startLoad } from '../../demo/steps/serve.ts';
import type { BenchContext, BenchResult, BenchRow } from '../suite.ts';

const RELOADS = 12;
const REQUESTS_PER_SECOND = 500;

export async function runReload({ stage, onProgress }: BenchContext): Promise<BenchResult> {
  await asStep(onProgress, { step: 'Two variants, two pods each', expectedSeconds: 15 }, async () => serve(stage));
  const artifacts = [await readArtifact('basket-blue-2'), await readArtifact('basket-blue')];
  const idle = await asStep(onProgress, { step: `${RELOADS} reloads at rest`, expectedSeconds: 25 }, async () =>
    reloads(stage, artifacts),
  );
  const load = await startLoad(stage, REQUESTS_PER_SECOND);
  try {
    const versions = { blue: ['blue-1', 'blue-2'], green: ['green-1'] };
    await load.expect({ ...FIRST_EXPECTATION, versions });
    const loaded = await asStep(onProgress, { step: `${RELOADS} reloads under load`, expectedSeconds: 30 }, async () =>
      reloads(stage, artifacts),
    );
    const report = await load.stop();
    return {
      rows: [
        ...rowsOf('reload', idle),
        ...rowsOf('reload_under_load', loaded),
        { name: 'requests', value: report.requests, unit: 'count' },
        { name: 'failed_requests', value: report.failed, unit: 'count' },
      ],
      notes: [
        `${RELOADS} reloads each, 2 pods a variant, soak 0s, pollInterval 1s. beyond_poll: from the sending of the List that first saw the change until every pod reported the version, by the operator's log. from_upload: seen from outside, the wait for that List included.`,
        `Load: 200 keep-alive connections, ${REQUESTS_PER_SECOND} requests/s wanted, ${Math.round(report.requests / report.seconds)}/s reached; p99 ${report.latencyMs.p99} ms.`,
      ],
    };
  } finally {
    await load.kill();
  }
}

async function reloads(stage: BenchContext['stage'], artifacts: readonly Artifact[]): Promise<ReloadTimes[]> {
  const times: ReloadTimes[] = [];
  for (let turn = 0; turn < RELOADS; turn += 1) {
    const artifact = artifacts[turn % artifacts.length];
    if (artifact !== undefined) times.push(await reload(stage, BLUE, artifact));
  }
  return times;
}

function rowsOf(name: string, times: readonly ReloadTimes[]): BenchRow[] {
  const beyond = times.map(({ listToPodsMs }) => listToPodsMs);
  const upload = times.map(({ uploadToPodsMs }) => uploadToPodsMs);
  const row = (suffix: string, value: number): BenchRow => ({
    name: `${name}_${suffix}`,
    value: Math.round(value),
    unit: 'ms',
  });
  return [
    row('beyond_poll_ms_p50', quantile(beyond, 0.5)),
    row('beyond_poll_ms_p90', quantile(beyond, 0.9)),
    row('beyond_poll_ms_max', Math.max(...beyond)),
    row('from_upload_ms_p50', quantile(upload, 0.5)),
    row('from_upload_ms_max', Math.max(...upload)),
  ];
}
