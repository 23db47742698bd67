// The container beside us: two or three calls of its own API, on loopback, each with a deadline. What it answers is told as a value.
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { codeOf } from '../errors.ts';
import type { AdapterSettings, Call } from './settings.ts';

/** What was seen of the container. */
export type Look =
  /** It has a model. */
  | {
      readonly kind: 'serving';
      /** As it calls the model; undefined where it does not say. */
      readonly version: string | undefined;
      /** Changes when it loads a model, as far as it lets that be seen. */
      readonly mark: string;
      /** Whether the mark changes with every load, of an equal version too. */
      readonly marksLoads: boolean;
    }
  /** It answers and says that it has no model. */
  | { readonly kind: 'empty'; readonly detail: string }
  /** Nobody listens: it has not started, or has ended. */
  | { readonly kind: 'away'; readonly detail: string }
  /** It did not answer in time. */
  | { readonly kind: 'silent'; readonly detail: string };

export type Reloaded =
  { readonly kind: 'accepted' } | { readonly kind: 'refused' | 'away' | 'silent'; readonly detail: string };

const LOOK_MS = 2_000;
const MAX_BYTES = 64 * 1024;
const SHOWN = 200;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Why there is no answer. */
class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly kind: 'away' | 'silent';

  constructor(kind: 'away' | 'silent', message: string) {
    super(message);
    this.kind = kind;
  }
}

export class Neighbour {
  readonly #settings: AdapterSettings;

  constructor(settings: AdapterSettings) {
    this.#settings = settings;
  }

  /** What it serves now. Throws only the reason of `signal`. */
  async look(signal: AbortSignal): Promise<Look> {
    const { info, readyPath } = this.#settings;
    try {
      const answer = await this.#call({ method: 'GET', path: info?.path ?? readyPath }, LOOK_MS, signal);
      if (!isSuccess(answer)) return { kind: 'empty', detail: described(answer) };
      return said(answer, info);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return { kind: error.kind, detail: error.message };
    }
  }

  /** Its own reload call. Throws only the reason of `signal`. */
  async reload(call: Call, signal: AbortSignal): Promise<Reloaded> {
    try {
      const answer = await this.#call(call, this.#settings.reloadMs, signal);
      return isSuccess(answer) ? { kind: 'accepted' } : { kind: 'refused', detail: described(answer) };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return { kind: error.kind, detail: error.message };
    }
  }

  async #call({ method, path }: Call, deadlineMs: number, signal: AbortSignal): Promise<Answer> {
    const late = AbortSignal.timeout(deadlineMs);
    try {
      return await send(this.#settings.port, { method, path }, AbortSignal.any([signal, late]));
    } catch (error) {
      signal.throwIfAborted();
      if (late.aborted) throw new NoAnswer('silent', `${method} ${path} was not answered within ${deadlineMs} ms`);
      // A connection that breaks off means that the process has ended just now.
      const detail = codeOf(error) ?? (error instanceof Error ? error.message : 'unknown');
      throw new NoAnswer('away', `${method} ${path} on port ${this.#settings.port}: ${detail}`);
    }
  }
}

/** A connection of its own for each call: one that is kept may be closed by the other end at the moment of use. */
async function send(port: number, { method, path }: Call, signal: AbortSignal): Promise<Answer> {
  const headers = { accept: 'application/json', ...(method !== 'GET' && { 'content-length': '0' }) };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, headers, agent: false, signal })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size <= MAX_BYTES) chunks.push(bytes);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}

function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function said({ body }: Answer, info: AdapterSettings['info']): Look {
  if (info === undefined) return { kind: 'serving', version: undefined, mark: '', marksLoads: false };
  const { versionField, loadedField } = info;
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    return { kind: 'empty', detail: 'what it says of its model is not JSON' };
  }
  const version = scalarOf(content, versionField);
  const loaded = scalarOf(content, loadedField);
  return { kind: 'serving', version, mark: JSON.stringify([version, loaded]), marksLoads: loaded !== undefined };
}

/** The text, number or truth value at a path such as `model.version`. */
function scalarOf(content: unknown, path: string): string | undefined {
  let value = content;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Status and beginning of the body, without what could break a line of a log or a status. */
function described({ status, body }: Answer): string {
  const words = body.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return words === '' ? `HTTP ${status}` : `HTTP ${status}: ${words.slice(0, SHOWN)}`;
}
