// Set-up of the tests that need a real API server: one instance for all of them, ours alone, so that several runs do not meet.
import type { TestProject } from 'vitest/node';
import { startCluster } from '../cluster/cluster.ts';
import { showProgress } from '../progress.ts';
import './tier.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = showProgress();
  try {
    const cluster = await startCluster({ tier: 'api', owned: true, fresh: true, onProgress: progress.report });
    project.provide('runDir', cluster.runDir);
    return () => cluster.down();
  } finally {
    progress.close();
  }
}
