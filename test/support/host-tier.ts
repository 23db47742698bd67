// Set-up of the tests that need programs of the machine, HAProxy and Docker, and no cluster.
import type { TestProject } from 'vitest/node';
import { prepareImages } from '../cluster/prepare.ts';
import { showProgress } from '../progress.ts';
import './tier.ts';

export default async function setup(project: TestProject): Promise<void> {
  const { report: onProgress, close } = showProgress();
  try {
    project.provide('images', await prepareImages({ onProgress }));
  } finally {
    close();
  }
}
