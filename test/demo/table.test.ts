import { expect, it } from 'vitest';
import { renderTable } from './table.ts';

it('aligns columns and leaves no blanks at the ends of lines', () => {
  const table = renderTable(['claim', 'ok'], [['requests failed', 'yes'], ['short']]);

  expect(table).toBe('claim            ok\n───────────────  ───\nrequests failed  yes\nshort\n');
});
