// What the programs for people have in common: they end in order when told to, and a failure is said in words that help.
import { inspect } from 'node:util';
import { CommandFailed } from './cluster/command.ts';
import { MissingPart } from './cluster/missing.ts';
import { HelpWanted, UsageError } from './command-line.ts';
import { stopRule } from './stop-rule.ts';

/** Somebody has stopped the program. */
class Stopped extends Error {}

/**
 * Runs `main` with the arguments of the command line; its result is the exit code. SIGINT, SIGTERM and SIGHUP abort the signal; repeats do not disturb
 * the clean-up, see {@link stopRule}. `help` goes to stdout when it is asked for. What `main` throws is explained on stderr: exit code 2, one line and
 * the usage for a wrong command line, else 1.
 */
export async function runProgram(
  help: string,
  main: (args: readonly string[], signal: AbortSignal) => Promise<number>,
): Promise<void> {
  // `… | head` closes the pipe; that is no error.
  process.stdout.on('error', () => undefined);
  const interrupt = new AbortController();
  abortOnSignals(interrupt);
  try {
    process.exitCode = await main(process.argv.slice(2), interrupt.signal);
  } catch (error) {
    process.exitCode = end(error, help);
  }
}

function abortOnSignals(interrupt: AbortController): void {
  const meaning = stopRule(() => performance.now());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const what = meaning();
      if (what === 'begin') interrupt.abort(new Stopped(`Stopped by ${signal}.`));
      if (what !== 'kill') return;
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
}

/** Says what there is to say; returns the exit code. */
function end(error: unknown, help: string): number {
  if (error instanceof HelpWanted) {
    process.stdout.write(help);
    return 0;
  }
  const isUsage = error instanceof UsageError;
  process.stderr.write(`${isUsage ? `${error.message}\n\n${usageOf(help)}` : explain(error)}\n`);
  return isUsage ? 2 : 1;
}

/** The lines of a help text that show commands. */
function usageOf(help: string): string {
  const commands = help.split('\n').filter((line) => line.startsWith('  npm '));
  return `Usage\n${commands.join('\n')}`;
}

function explain(error: unknown): string {
  if (error instanceof MissingPart) return `Cannot run here: ${error.message}`;
  if (error instanceof Error && error.cause instanceof Stopped) return error.cause.message;
  return error instanceof CommandFailed || error instanceof Stopped ? error.message : inspect(error);
}
