// The end: the load stops, and what the clients counted is compared with what the servers counted.
import type { LoadReport } from '../../load/contract.ts';
import { modelPods, readServed, routerPods, servedSoFar } from '../pods.ts';
import { BLUE, type Show } from '../show.ts';

const MIN_REQUESTS = 20_000;
const MIN_CONNECTIONS = 200;
const POD_END_S = 60;

export async function countAll(show: Show): Promise<void> {
  const { claims, load } = show;
  const { connectionsOpen } = await load.report();
  const report = await load.stop();
  const served = await countServed(show);
  const restarts = await countRestarts(show);
  claims.row('requests', report.requests, 'count');
  claims.row('failed_requests', report.failed, 'count');
  claims.row('pod_restarts', restarts, 'count');
  claims.row('latency_p99_ms', report.latencyMs.p99, 'ms');
  claims.add({
    claim: 'requests',
    asked: `≥ ${MIN_REQUESTS.toLocaleString('en')}, ≥ ${MIN_CONNECTIONS} connections`,
    measured: `${report.requests.toLocaleString('en')} in ${report.seconds.toFixed(0)} s, ${connectionsOpen} keep-alive connections`,
    ok: report.requests >= MIN_REQUESTS && connectionsOpen >= MIN_CONNECTIONS,
  });
  claims.add({
    claim: 'requests failed',
    asked: '0',
    measured: describeFailures(report),
    ok: report.failed === 0,
    note: FAILED,
  });
  claims.add({
    claim: "clients' count equals servers' count",
    asked: String(report.ok),
    measured: String(served),
    ok: served === report.ok,
    note: 'model_infer_request_success of each pod that lives, and the count that each deleted pod logged when it ended.',
  });
  claims.add({
    claim: 'container restarts, pods not deleted by us',
    asked: '0',
    measured: String(restarts),
    ok: restarts === 0,
  });
}

const FAILED =
  'No retry. Each answer is checked: status, variant, a version that is right at that moment, and label and confidence equal to the last bit to ' +
  "scikit-learn's.";

function describeFailures({ failed, failures }: LoadReport): string {
  const reasons = Object.entries(failures).map(([reason, count]) => `${count} × ${reason}`);
  return [String(failed), ...reasons].join('; ').slice(0, 160);
}

async function countServed({ stage, logs, deleted }: Show): Promise<number> {
  const gone = deleted.map(async (pod) => {
    const served = readServed(await logs.whole(pod, POD_END_S));
    if (served === undefined) throw new Error(`pod ${pod} ended without telling how much it had served`);
    return served;
  });
  const pods = await modelPods(stage.kube, BLUE.namespace, BLUE.name);
  const alive = pods.filter(({ name }) => !deleted.includes(name)).map(servedSoFar);
  return (await Promise.all([...gone, ...alive])).reduce((sum, count) => sum + count, 0);
}

async function countRestarts({ stage }: Show): Promise<number> {
  const { kube } = stage;
  const models = await modelPods(kube, BLUE.namespace, BLUE.name);
  const routers = await routerPods(kube, BLUE.namespace, BLUE.name);
  return [...models, ...routers].reduce((sum, { restarts }) => sum + restarts, 0);
}
