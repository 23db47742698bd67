import { describe, expect, it } from 'vitest';
import { add, countReport, summaryLine } from './report.ts';

function aReport(passed: number, failed: number, testResults: object[] = []): string {
  return JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults });
}

describe('countReport', () => {
  it('takes the numbers of the report', () => {
    expect(countReport(aReport(7, 2), 1)).toEqual({ passed: 7, failed: 2 });
  });

  it('counts a file that did not load, which has no failed test', () => {
    const broken = { status: 'failed', assertionResults: [] };
    const failing = { status: 'failed', assertionResults: [{}] };

    expect(countReport(aReport(7, 1, [broken, failing]), 1)).toEqual({ passed: 7, failed: 2 });
  });

  it('counts a run that fails outside of its tests', () => {
    expect(countReport(aReport(7, 0), 1)).toEqual({ passed: 7, failed: 1 });
  });

  it('counts a run that leaves no report as failed, whatever its status', () => {
    expect(countReport(undefined, 0)).toEqual({ passed: 0, failed: 1 });
  });
});

it('adds up and says the sum in one plain line', () => {
  expect(summaryLine(add({ passed: 3, failed: 0 }, { passed: 4, failed: 1 }))).toBe('7 passed, 1 failed');
});
