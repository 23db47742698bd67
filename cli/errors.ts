// What goes wrong for the person at the keyboard.

/** The message is one sentence that says what to do; no stack is shown. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
}

/** The command line itself is wrong: the usage is shown too. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}
