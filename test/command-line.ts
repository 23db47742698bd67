// Reads the command line of our programs for people. A wrong flag or word is refused in one line that names it and the right ones.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** The command line is wrong. The message is one sentence for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Somebody asks for help: nothing is to be done but to show it. */
export class HelpWanted extends Error {
  override readonly name = 'HelpWanted';
}

type Strict<T extends ParseArgsOptionsConfig> = { options: T; allowPositionals: true; strict: true };

export interface CommandLine<T extends ParseArgsOptionsConfig> {
  readonly values: ReturnType<typeof parseArgs<Strict<T>>>['values'];
  /** What is no option and no value of one. */
  readonly words: readonly string[];
}

/**
 * Options of `args`, and the words between them. `--help`, `-h` and a first word `help` are understood by themselves. Throws {@link HelpWanted} for
 * these, {@link UsageError} for an option that is not there, or with a value too many or too few.
 */
export function readCommandLine<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
): CommandLine<T> {
  const known = { ...options, help: { type: 'boolean', short: 'h' } } as const;
  const { tokens } = parseArgs({ args, options: known, allowPositionals: true, strict: false, tokens: true });
  if (args[0] === 'help' || tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    throw new HelpWanted();
  }
  for (const token of tokens) if (token.kind === 'option') checkOption(token, options);
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
  return { values, words: positionals };
}

interface OptionToken {
  readonly name: string;
  /** As it was typed. */
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: ParseArgsOptionsConfig): void {
  const type = Object.hasOwn(options, name) ? options[name]?.type : undefined;
  if (type === undefined) {
    const known = [...Object.keys(options), 'help'].map((option) => `--${option}`);
    throw new UsageError(`There is no option ${rawName}; there ${listed(known)}.`);
  }
  if (type === 'boolean' && value !== undefined) throw new UsageError(`${rawName} takes no value, not "${value}".`);
  const isMissing = value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));
  if (type === 'string' && isMissing) throw new UsageError(`${rawName} needs a value.`);
}

/** The word as one of those that are known. Throws {@link UsageError}; `what` begins the sentence: `--tier`, `command`. */
export function oneOf<T extends string>(what: string, word: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  const problem = what.startsWith('-') ? `${what} does not take "${word}"` : `There is no ${what} "${word}"`;
  throw new UsageError(`${problem}; there ${listed(known)}.`);
}

/** Throws {@link UsageError} when there are more words than the `most` that mean something. */
export function noMoreWords(words: readonly string[], most: number): void {
  const surplus = words[most];
  if (surplus === undefined) return;
  throw new UsageError(
    most === 0
      ? `No word is expected, not "${surplus}".`
      : `Nothing more is expected after "${words[most - 1] ?? ''}", not "${surplus}".`,
  );
}

/** `is a` or `are a, b and c`. */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? 'none';
  return names.length < 2 ? `is ${last}` : `are ${names.slice(0, -1).join(', ')} and ${last}`;
}
