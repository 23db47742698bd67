// Tables for a terminal.

/** Columns as wide as their longest cell, two spaces between them, a line under the head. Cells of lines longer than `most` are broken at blanks. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], most = Infinity): string {
  const all = [head, ...rows];
  const natural = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const widths = narrowed(natural, most);
  const line = (row: readonly string[]): string => `${row.join(GAP).trimEnd()}\n`;
  const lines = (row: readonly string[]): string => {
    const cells = widths.map((width, column) => breakAtBlanks(row[column] ?? '', width));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, index) =>
      line(cells.map((cell, column) => (cell[index] ?? '').padEnd(widths[column] ?? 0))),
    ).join('');
  };
  return [lines(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(lines)].join('');
}

const GAP = '  ';
const NARROWEST = 16;

/** Takes from the widest column, again and again, until a line has at most `most` characters or nothing is left to take. */
function narrowed(natural: readonly number[], most: number): number[] {
  const widths = [...natural];
  let surplus = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - most;
  for (; surplus > 0; surplus -= 1) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

/** Lines of at most `width` characters where there are blanks to break at; a longer word has a line of its own. */
export function breakAtBlanks(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
