// Structured logs on standard output: one JSON object a line. Secrets are cut out here as well, should a caller ever pass one.
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** What the setting LOG_LEVEL may be. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const SECRET_FIELDS = [
  'token',
  'adminToken',
  'authorization',
  'password',
  'credentials',
  'secretAccessKey',
  'accessKeyId',
  'sessionToken',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SESSION_TOKEN',
];

/** Fields of these names are replaced at the top and up to two levels below it. */
const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** The root logger. `destination` is for tests; default: standard output. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths, censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
