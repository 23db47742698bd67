// What the demo says of the product, each with what was asked and what was measured: the table at the end, and the figures for programs.
import { breakAtBlanks, renderTable } from './table.ts';

export interface Claim {
  readonly claim: string;
  readonly asked: string;
  readonly measured: string;
  readonly ok: boolean;
  /** How it was measured, where that is not obvious. */
  readonly note?: string;
}

/** One figure of `--json FILE`. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** What a command has said, to be shown as it is. */
export interface Quote {
  readonly command: string;
  readonly output: string;
}

export class Claims {
  readonly #claims: Claim[] = [];
  readonly #quotes: Quote[] = [];
  readonly #rows: Row[] = [];

  add(claim: Claim): void {
    this.#claims.push(claim);
  }

  /** A figure for programs; the last one of a name counts. */
  row(name: string, value: number, unit: string): void {
    const known = this.#rows.findIndex((row) => row.name === name);
    this.#rows.splice(known < 0 ? this.#rows.length : known, known < 0 ? 0 : 1, { name, value, unit });
  }

  quote(command: string, output: string): void {
    this.#quotes.push({ command, output });
  }

  get quotes(): readonly Quote[] {
    return this.#quotes;
  }

  get all(): readonly Claim[] {
    return this.#claims;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Claims that do not hold. */
  get broken(): readonly Claim[] {
    return this.#claims.filter(({ ok }) => !ok);
  }
}

/** The table, then the notes by number. */
export function renderClaims(claims: readonly Claim[]): string {
  const notes: string[] = [];
  const rows = claims.map(({ claim, asked, measured, ok, note }) => {
    if (note !== undefined && !notes.includes(note)) notes.push(note);
    const mark = note === undefined ? '' : ` (${notes.indexOf(note) + 1})`;
    return [`${claim}${mark}`, asked, measured, ok ? 'yes' : 'NO'];
  });
  const list = notes.map((note, index) => `${indented(`(${index + 1}) ${note}`)}\n`).join('');
  return `${renderTable(['claim', 'asked', 'measured', 'ok'], rows, WIDTH)}${list === '' ? '' : `\n${list}`}`;
}

const WIDTH = 118;

/** Lines of at most {@link WIDTH} characters; all but the first are indented. */
function indented(text: string): string {
  const indent = '    ';
  return breakAtBlanks(text, WIDTH - indent.length).join(`\n${indent}`);
}

/** The largest difference in percentage points between the shares asked for by weight and the keys counted by variant. */
export function shareErrorPoints(
  weights: Readonly<Record<string, number>>,
  keys: Readonly<Record<string, number>>,
): number {
  const names = new Set([...Object.keys(weights), ...Object.keys(keys)]);
  const errors = [...names].map((name) => Math.abs(shareOf(weights, name) - shareOf(keys, name)) * 100);
  return Math.max(0, ...errors);
}

function shareOf(parts: Readonly<Record<string, number>>, name: string): number {
  const sum = Object.values(parts).reduce((all, part) => all + part, 0);
  return sum === 0 ? 0 : (parts[name] ?? 0) / sum;
}

/** The value below which that share (0 to 1) of the values lies, by nearest rank; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** `blue 90.13 %, green 9.87 %`. */
export function describeShares(keys: Readonly<Record<string, number>>): string {
  return Object.keys(keys)
    .toSorted()
    .map((name) => `${name} ${(shareOf(keys, name) * 100).toFixed(2)} %`)
    .join(', ');
}

/** As a terminal shows commands and what they say. */
export function renderQuotes(quotes: readonly Quote[]): string {
  return quotes.map(({ command, output }) => `$ ${command}\n${output.trimEnd()}\n`).join('\n');
}
