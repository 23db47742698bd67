import { defineConfig } from 'vitest/config';
import { dockerEnv } from './test/cluster/docker.ts';

/** A test that hangs ends; one on a machine that is busy with other things does not. */
const TEST_MS = 30_000;
/** Modules have no state and no test mocks one, so files may share them, and what has been compiled: a third of the time. */
const SHARED = { isolate: false };
const COMPONENT = ['{operator,inference,router,cli,test}/**/*.component.test.ts'];

// One project a tier: unit and component need nothing, clients Python, host Debian's packages, api the control-plane binaries,
// cluster all of that and root.
export default defineConfig({
  test: {
    // Taking an instance down may take longer than the default of ten seconds.
    teardownTimeout: 60_000,
    // The default leaves one processor free, which on a machine of two is half of it.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{operator,inference,router,cli,test}/**/*.test.ts'],
          exclude: COMPONENT,
          testTimeout: TEST_MS,
          ...SHARED,
        },
      },
      // Whole servers, worker threads, child processes, floods of broken files: seconds instead of milliseconds. Some wait until the bundle is built.
      {
        test: {
          name: 'component',
          include: COMPONENT,
          ...SHARED,
          globalSetup: 'test/support/component-tier.ts',
          testTimeout: TEST_MS,
          hookTimeout: 2 * TEST_MS,
        },
      },
      {
        test: {
          name: 'clients',
          include: ['test/**/*.clients.ts'],
          // Python takes both processors by itself.
          fileParallelism: false,
          // A row of a forest takes scikit-learn some ten milliseconds where the machine is busy.
          testTimeout: 120_000,
          // Where nothing has prepared the tier, the first test installs the clients.
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/**/*.host.ts'],
          globalSetup: 'test/support/host-tier.ts',
          testTimeout: 300_000,
          hookTimeout: 600_000,
          // Each loads the machine.
          fileParallelism: false,
          // For testcontainers.
          env: dockerEnv,
        },
      },
      {
        test: {
          name: 'api',
          include: ['test/**/*.api.ts'],
          ...SHARED,
          globalSetup: 'test/support/api-tier.ts',
          // All files share one API server.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.ts'],
          globalSetup: 'test/support/cluster-tier.ts',
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
