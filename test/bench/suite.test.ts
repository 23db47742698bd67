import { expect, it } from 'vitest';
import { renderRows } from './suite.ts';

it('shows peers only where there are some', () => {
  const row = { name: 'p50', value: 1.5, unit: 'ms' };

  expect(renderRows([row]).split('\n')[0]).toBe('name  value  unit');
  expect(renderRows([row, { ...row, name: 'rps', peer: 'fastapi', ratio: 7.6 }])).toContain(
    'rps   1.5    ms    fastapi  7.6',
  );
});
