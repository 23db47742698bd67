// Opens a source: finds its store, decides on whose credentials it is asked, and keeps one client for each set of credentials.
import { settingsOf, storeNamed, type Config, type StoreConfig } from '../config.ts';
import type { Clock } from '../runtime/clock.ts';
import { httpAuthorization, s3Credentials, type SecretData } from './credentials.ts';
import { sourceFailure, StoreError } from './failure.ts';
import type { StoreReader } from './reader.ts';
import type { ArtifactSource } from './source.ts';
import type { ReaderOf, StoreAccess } from './store-clients.ts';

/** The part of a Secret that is needed. */
export interface SecretView {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly data: SecretData;
}

/** Reads one Secret by name; undefined when there is none. May throw. */
export type ReadSecret = (namespace: string, name: string, signal: AbortSignal) => Promise<SecretView | undefined>;

export interface OpenSource {
  readonly reader: StoreReader;
  /** Differs once other credentials are in use. */
  readonly identity: string;
}

export interface SourceOpener {
  /** `refresh` reads the Secret again. Throws StoreError when the source cannot be asked at all. */
  open(source: ArtifactSource, refresh: boolean, signal: AbortSignal): Promise<OpenSource>;
}

export interface SourceOpenerOptions {
  readonly stores: Config['stores'];
  readonly readSecret: ReadSecret;
  /** Makes a client: a reader for each bucket of a store, on one set of credentials. */
  readonly openStore: (access: StoreAccess) => ReaderOf;
  readonly clock: Clock;
}

interface CachedClient {
  readonly identity: string;
  readonly readerOf: ReaderOf;
  /** When the Secret was last read (monotonic). */
  readonly readAt: number;
}

/** A Secret that was changed or deleted is noticed after this long, and at once when the store refuses the old credentials. */
const SECRET_MAX_AGE_MS = 300_000;
/** The clients used least lately are dropped beyond this number; they hold no connections of their own. */
const MAX_CLIENTS = 256;

/** An opener with a cache of clients of its own. */
export function createSourceOpener(options: SourceOpenerOptions): SourceOpener {
  const cache = new ClientCache(options);
  return {
    async open(source, refresh, signal) {
      const { bucket } = source;
      const store = storeNamed(options.stores, source.store);
      if (store === undefined)
        throw refused('UnknownStore', `the operator's configuration has no store ${source.store}`);
      if (bucket === undefined) {
        throw refused(
          'NoSuchBucket',
          "no bucket: set source.s3.bucket, or MODEL_BUCKET in the operator's configuration",
        );
      }
      if (source.credentialsSecret === undefined && !mayUseOwnIdentity(store, source.namespace, bucket)) {
        throw refused('AccessDenied', ownIdentityText(source, bucket));
      }
      const { readerOf, identity } = await cache.get(source, store, refresh, signal);
      return { reader: readerOf(bucket), identity };
    },
  };
}

/** Whether the operator may ask with its own identity: without this rule any namespace could look into every bucket the operator can read. */
export function mayUseOwnIdentity(store: StoreConfig, namespace: string, bucket: string): boolean {
  const allowed = store.allowOperatorIdentity;
  if (allowed === undefined) return false;
  const has = (list: readonly string[], name: string) => list.includes('*') || list.includes(name);
  return has(allowed.namespaces, namespace) && has(allowed.buckets, bucket);
}

class ClientCache {
  readonly #options: SourceOpenerOptions;
  /** In order of use. */
  readonly #clients = new Map<string, CachedClient>();

  constructor(options: SourceOpenerOptions) {
    this.#options = options;
  }

  async get(source: ArtifactSource, store: StoreConfig, refresh: boolean, signal: AbortSignal): Promise<CachedClient> {
    const { namespace, credentialsSecret } = source;
    const id = JSON.stringify([
      source.store,
      source.region,
      credentialsSecret === undefined ? [] : [namespace, credentialsSecret],
    ]);
    const cached = this.#clients.get(id);
    // Gone from the cache until it is found good again: a deleted Secret must not live on in here.
    this.#clients.delete(id);
    const found = await this.#current(source, store, cached, refresh, signal);
    this.#clients.set(id, found);
    for (const oldest of this.#clients.keys()) if (this.#clients.size > MAX_CLIENTS) this.#clients.delete(oldest);
    return found;
  }

  async #current(
    source: ArtifactSource,
    store: StoreConfig,
    cached: CachedClient | undefined,
    refresh: boolean,
    signal: AbortSignal,
  ): Promise<CachedClient> {
    const now = this.#options.clock.monotonic();
    const name = source.credentialsSecret;
    if (name === undefined) return cached ?? { identity: 'operator', readerOf: this.#open(source, store), readAt: now };
    if (cached !== undefined && !refresh && now - cached.readAt < SECRET_MAX_AGE_MS) return cached;
    const secret = await this.#read(source.namespace, name, signal);
    if (secret === 'unreadable') {
      // The API server is away: what was read before is as good as it gets.
      if (cached !== undefined) return cached;
      throw refused('InvalidCredentials', `Secret ${name} cannot be read at present`);
    }
    const identity = `${secret.uid}/${secret.resourceVersion}`;
    if (cached?.identity === identity) return { ...cached, readAt: now };
    return { identity, readerOf: this.#open(source, store, { name, data: secret.data }), readAt: now };
  }

  async #read(namespace: string, name: string, signal: AbortSignal): Promise<SecretView | 'unreadable'> {
    const secret = await this.#options.readSecret(namespace, name, signal).catch(() => {
      signal.throwIfAborted();
      return 'unreadable' as const;
    });
    if (secret !== undefined) return secret;
    throw refused('InvalidCredentials', `Secret ${name} does not exist in namespace ${namespace}`);
  }

  #open({ region }: ArtifactSource, config: StoreConfig, secret?: { name: string; data: SecretData }): ReaderOf {
    const store = settingsOf(config);
    if (store.kind === 'http') {
      const authorization = secret && httpAuthorization(secret.data, secret.name);
      return this.#options.openStore({ kind: 'http', store, authorization });
    }
    const credentials = secret && s3Credentials(secret.data, secret.name);
    return this.#options.openStore({ kind: 's3', store, region, credentials });
  }
}

function ownIdentityText({ store, namespace }: ArtifactSource, bucket: string): string {
  return (
    `the operator may not use its own identity for bucket ${bucket} in namespace ${namespace}: set source.s3.credentialsSecretRef, ` +
    `or allow it in stores.${store}.allowOperatorIdentity`
  );
}

function refused(reason: Parameters<typeof sourceFailure>[0], message: string): StoreError {
  return new StoreError(sourceFailure(reason, message));
}
