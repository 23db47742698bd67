// Counts what a test run has said.
import * as z from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The part of vitest's JSON report that we count. A file that does not load has failed without a test. */
const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/**
 * Counts one run by its JSON report (undefined when there is none) and the exit status of vitest: a run that went wrong outside of any test, in its
 * set-up for instance, counts as one failure.
 */
export function countReport(json: string | undefined, status: number): Counts {
  if (json === undefined) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = Report.parse(JSON.parse(json));
  const empty = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = numFailedTests + empty.length;
  return { passed: numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
}

export function add(left: Counts, right: Counts): Counts {
  return { passed: left.passed + right.passed, failed: left.failed + right.failed };
}

export function summaryLine({ passed, failed }: Counts): string {
  return `${String(passed)} passed, ${String(failed)} failed`;
}
