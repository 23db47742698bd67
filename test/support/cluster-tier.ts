// Set-up of the tests that need a real node: a fresh cluster with the images of this checkout on it. With SWITCHYARD_REUSE=1 a cluster that is up is used
// and left as it is, which makes the inner loop short: `npm run cluster -- up`, then vitest again and again.
import type { TestProject } from 'vitest/node';
import { reuse } from '../cluster/config.ts';
import { provision } from '../cluster/provision.ts';
import { showProgress } from '../progress.ts';
import './tier.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = showProgress();
  const onProgress = progress.report;
  try {
    const { cluster, images } = await provision({ owned: !reuse, fresh: !reuse, onProgress });
    project.provide('runDir', cluster.runDir);
    project.provide('images', images);
    return async () => {
      if (!reuse) await cluster.down();
    };
  } finally {
    progress.close();
  }
}
