import { describe, expect, it } from 'vitest';
import { OPERATOR_USER, operatorWrites, readEntry, summarize, type AuditEntry } from './audit.ts';

function aLine(change: object = {}): string {
  return JSON.stringify({
    stage: 'ResponseComplete',
    verb: 'patch',
    user: { username: OPERATOR_USER },
    objectRef: { resource: 'modeldeployments', namespace: 'ml', name: 'retail' },
    ...change,
  });
}

function anEntry(change: Partial<AuditEntry> = {}): AuditEntry {
  return { verb: 'patch', user: OPERATOR_USER, resource: 'modeldeployments', name: 'retail', ...change };
}

describe('readEntry', () => {
  it('reads a request that has ended', () => {
    expect(readEntry(aLine())).toEqual(anEntry());
  });

  it('passes over the start of a watch, a request without an object, and half a line', () => {
    expect(readEntry(aLine({ stage: 'ResponseStarted' }))).toBeUndefined();
    expect(readEntry(aLine({ objectRef: undefined }))).toEqual(anEntry({ resource: '', name: '' }));
    expect(readEntry(aLine().slice(0, 50))).toBeUndefined();
  });
});

it('counts writes of the operator without its lease', () => {
  const entries = [
    anEntry(),
    anEntry({ verb: 'watch' }),
    anEntry({ verb: 'update', resource: 'leases' }),
    anEntry({ user: 'admin' }),
    anEntry({ verb: 'create', resource: 'events', name: '' }),
  ];

  expect(summarize(operatorWrites(entries))).toEqual(['1 × patch modeldeployments/retail', '1 × create events']);
});
