// Categories as boosters number them: which value of the training table each number stands for.
import type { Fitted } from './fitted.ts';

/** Values of a column in the order of their numbers. */
export interface Encoding {
  readonly column: number;
  /** Absent for texts, whose numbers are these already. */
  readonly values?: Float64Array<ArrayBuffer>;
}

/** What a booster was trained on. */
export interface Encodings {
  readonly encodings: readonly Encoding[];
  /** The texts of each column that takes text. */
  readonly texts: ReadonlyMap<number, readonly string[]>;
}

/**
 * Puts the numbers of categories into rows of `columns` values, in place; NaN stays. `unknown` gives what stands for a value that training has not met, or throws.
 */
export function encoderOf(
  encodings: readonly Encoding[],
  unknown: (column: number) => number,
): (values: Float32Array | Float64Array, columns: number) => void {
  const codes = encodings.map(({ column, values }) => ({
    column,
    numbers: values && new Map([...values].map((value, place) => [value, place])),
  }));
  return (values, columns) => {
    for (const { column, numbers } of codes) {
      for (let at = column; at < values.length; at += columns) {
        const value = values[at] ?? NaN;
        if (Number.isNaN(value)) continue;
        const code = numbers === undefined ? value : (numbers.get(value) ?? -1);
        values[at] = code >= 0 ? code : unknown(column);
      }
    }
  };
}

/** The encodings of a booster inside of other steps, by the numbers that texts have there; notes which columns hold numbers. Throws ModelError. */
export function encodedIn(fitted: Fitted, { encodings, texts }: Encodings): readonly Encoding[] {
  const { reading, origins } = fitted;
  reading.asNumbers(origins.filter((_, column) => !texts.has(column)));
  return encodings.map((encoding) => {
    const known = texts.get(encoding.column);
    if (known === undefined) return encoding;
    const values = Float64Array.from(known, (text) => reading.codeOf(origins[encoding.column], text));
    return { column: encoding.column, values };
  });
}
