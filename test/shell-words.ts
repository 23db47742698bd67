// Commands that are printed for people to paste.

/** One word of a shell command, in quotes where the shell would read more into it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command that a shell reads as these words. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
