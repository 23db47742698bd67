// Set-up of the tests that need a real node: a fresh cluster with the images of this checkout on it. With SWITCHYARD_REUSE=1 a cluster that is up is used
// and left as it is, which makes the inner loop short: `npm run cluster -- up`, then vitest again and again.
import type { TestProject } from 'vitest/node';
import { startCluster } from '../cluster/cluster.ts';
import { reuse } from '../cluster/config.ts';
import { prepareCluster } from '../cluster/prepare.ts';
import { asStep, showProgress } from '../progress.ts';
import './tier.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = showProgress();
  const onProgress = progress.report;
  try {
    const images = await prepareCluster({ onProgress });
    const cluster = await startCluster({ tier: 'cluster', owned: !reuse, fresh: !reuse, onProgress });
    const step = { step: 'Copying the images to the node', expectedSeconds: 15 };
    await asStep(onProgress, step, async () => cluster.importImages(Object.values(images)));
    project.provide('runDir', cluster.runDir);
    project.provide('images', images);
    return async () => {
      if (!reuse) await cluster.down();
    };
  } finally {
    progress.close();
  }
}
