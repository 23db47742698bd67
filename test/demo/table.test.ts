import { expect, it } from 'vitest';
import { renderTable } from './table.ts';

it('aligns columns and leaves no blanks at the ends of lines', () => {
  const table = renderTable(['claim', 'ok'], [['requests failed', 'yes'], ['short']]);

  expect(table).toBe('claim            ok\n───────────────  ───\nrequests failed  yes\nshort\n');
});

it('breaks the cells of the widest column where a line would be too long', () => {
  const table = renderTable(['claim', 'measured', 'ok'], [['requests', 'one two three four five six', 'yes']], 34);

  expect(table.split('\n')).toEqual([
    'claim     measured             ok',
    '────────  ───────────────────  ───',
    'requests  one two three four   yes',
    '          five six',
    '',
  ]);
});
