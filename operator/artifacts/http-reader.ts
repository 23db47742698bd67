// A web server with files below one base address, asked as an object store. There is no List: each key is asked for by itself.
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { HttpSettings } from '../../inference/contract.ts';
import { etagOf } from '../../inference/etag.ts';
import { ask, lengthOf, objectUrl } from '../../inference/http-object.ts';
import type { ObjectFacts } from '../domain/artifact.ts';
import type { Clock } from '../runtime/clock.ts';
import { callFailure, StoreError, type AskedFor } from './failure.ts';
import { httpStatusFailure, toHttpFailure } from './http-failure.ts';
import { bounded, type StoreReader } from './reader.ts';

export interface HttpAccess {
  readonly store: HttpSettings;
  /** Of every request; absent: none. */
  readonly authorization?: string | undefined;
}

/** Makes readers that share their connections; `close` ends these. */
export class HttpReaders {
  readonly #httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 32 });
  readonly #httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 32 });

  /** A reader of one bucket. */
  create({ store, authorization }: HttpAccess, bucket: string, clock: Clock): StoreReader {
    return {
      canList: false,
      list: () => Promise.reject(new Error('a store of kind http has no List')),
      head: ({ key, versionId }, signal) => {
        const asked: AskedFor = { operation: 'HEAD', bucket, key, versionId };
        return bounded({ clock, asked, toFailure: toHttpFailure }, signal, async (both) => {
          const url = addressOf(store, asked);
          const answer = await this.#head(url, authorization, both);
          if (answer.statusCode !== 200) throw new StoreError(httpStatusFailure(answer.statusCode ?? 0, asked));
          return factsOf(answer);
        });
      },
    };
  }

  close(): void {
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }

  async #head(url: URL, authorization: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const agent = url.protocol === 'https:' ? this.#httpsAgent : this.#httpAgent;
    const call = () => ask(url, { method: 'HEAD', agent, authorization, signal });
    const answer = await call().catch((error: unknown) => {
      if (signal.aborted) throw error;
      return call(); // the server may have closed a connection that was kept
    });
    return answer.resume();
  }
}

function addressOf({ url }: HttpSettings, asked: AskedFor): URL {
  const { bucket, key, versionId } = asked;
  const missing = (text: string) => new StoreError(callFailure({ reason: 'NoSuchKey', text }, {}, asked));
  if (versionId !== undefined) throw missing('a store of kind http keeps no versions: pin by sha256 instead');
  const address = objectUrl(url, bucket, key);
  if (address === undefined) throw missing('a store of kind http has no such names');
  return address;
}

function factsOf(answer: IncomingMessage): ObjectFacts {
  const size = lengthOf(answer);
  const modified = new Date(answer.headers['last-modified'] ?? NaN);
  return {
    etag: etagOf(answer.headers, size),
    size,
    lastModified: Number.isNaN(modified.getTime()) ? undefined : modified,
  };
}
