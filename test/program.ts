// What the programs for people have in common: they end in order when told to, and a failure is said in words that help.
import { inspect } from 'node:util';
import { MissingPart } from './cluster/missing.ts';

/**
 * Runs `main` with the arguments of the command line; its result is the exit code. SIGINT, SIGTERM and SIGHUP abort the signal. What it throws is
 * explained on stderr: exit code 2 for arguments that parseArgs refuses, else 1.
 */
export async function runProgram(
  main: (args: readonly string[], signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupt.abort(new Error(`stopped by ${signal}`)));
  }
  try {
    process.exitCode = await main(process.argv.slice(2), interrupt.signal);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = isRefusedArgument(error) ? 2 : 1;
  }
}

function explain(error: unknown): string {
  if (error instanceof MissingPart) return `Cannot run here: ${error.message}`;
  // What parseArgs says of an option is all that there is to say.
  return isRefusedArgument(error) ? error.message : inspect(error);
}

function isRefusedArgument(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error;
}
