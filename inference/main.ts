// Starts the inference server, and ends it on SIGTERM or SIGINT without losing a request.
import { totalmem } from 'node:os';
import { pino } from 'pino';
import { createApp } from './app.ts';
import type { App } from './app.ts';
import { ConfigError, loadConfig } from './config.ts';
import type { Config } from './config.ts';
import { helpFor } from './help.ts';
import { StartError } from './start-error.ts';

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`The configuration is not usable. ${error.message}`);
    return process.exit(1);
  }
}

/** The limit of the container, where there is one. */
function memoryLimit(): { readonly memoryLimit?: number } {
  const limit = process.constrainedMemory();
  return limit > 0 && limit <= totalmem() ? { memoryLimit: limit } : {};
}

/** Ends the process where there is nothing to serve. */
function answerArguments(): void {
  const help = helpFor(process.argv.slice(2));
  if (help === undefined) return;
  (help.code === 0 ? process.stdout : process.stderr).write(help.text);
  process.exit(help.code);
}

answerArguments();
const config = readConfig();
// A reader that does not keep up must not hold up requests: with payload events on standard output, writing happens beside them.
const lines = pino.destination({ dest: 1, sync: config.monitoring.payloads?.sink !== 'stdout' });
const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, lines);

async function create(): Promise<App> {
  if (config.adapter === undefined) return createApp(config, { log, lines, onBroken: broken, ...memoryLimit() });
  const { createAdapter } = await import('./adapter/app.ts');
  return createAdapter(config, config.adapter, { log, ...memoryLimit() });
}

const starting = create();

let ending: Promise<void> | undefined;

async function end(drainMs: number, code: number): Promise<void> {
  const app = await starting;
  await app.stop(drainMs);
  log.info({ served: app.served() }, 'stopped');
  lines.flushSync();
  process.exit(code);
}

function endOn(signal: NodeJS.Signals): void {
  // Ctrl-C is a person who waits; SIGTERM is Kubernetes, whose endpoints have to forget this pod first.
  const drainMs = signal === 'SIGINT' ? 0 : config.drainMs;
  log.info({ signal, drainMs }, 'shutting down');
  ending ??= end(drainMs, 0).catch(fatal);
}

/** What still works answers what is under way; then somebody has to start the process again. */
function broken(error: Error): void {
  log.fatal({ err: error }, 'a serving thread has ended, so the server ends');
  ending ??= end(config.drainMs, 1).catch(fatal);
}

function fatal(error: unknown): never {
  if (error instanceof StartError) {
    console.error(`The server cannot start. ${error.message}`);
    process.exit(1);
  }
  log.fatal({ err: error }, 'the server cannot go on');
  process.exit(1);
}

process.on('uncaughtException', fatal);
process.on('unhandledRejection', fatal);
// Before anything takes time: a process without a handler that is PID 1 ignores SIGTERM.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, endOn);
}
starting.then((app) => app.start()).catch(fatal);
