// Opens a source: finds its store, decides on whose credentials it is asked, and keeps one client for each set of credentials.
import type { S3Client } from '@aws-sdk/client-s3';
import { storeNamed, type Config, type StoreConfig } from '../config.ts';
import type { Clock } from '../runtime/clock.ts';
import { sourceFailure, StoreError } from './failure.ts';
import { createS3Reader, type S3ClientInput, type S3Credentials, type S3Reader } from './s3-reader.ts';
import type { ArtifactSource } from './source.ts';

/** The part of a Secret that is needed; `data` is base64, as the API server sends it. */
export interface SecretView {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Reads one Secret by name; undefined when there is none. May throw. */
export type ReadSecret = (namespace: string, name: string, signal: AbortSignal) => Promise<SecretView | undefined>;

export interface OpenSource {
  readonly reader: S3Reader;
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
  readonly createClient: (input: S3ClientInput) => S3Client;
  readonly clock: Clock;
}

interface CachedClient {
  readonly identity: string;
  readonly client: S3Client;
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
      const { client, identity } = await cache.get(source, store, refresh, signal);
      return { reader: createS3Reader(client, bucket, options.clock), identity };
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
    if (name === undefined) return cached ?? { identity: 'operator', client: this.#create(source, store), readAt: now };
    if (cached !== undefined && !refresh && now - cached.readAt < SECRET_MAX_AGE_MS) return cached;
    const secret = await this.#read(source.namespace, name, signal);
    if (secret === 'unreadable') {
      // The API server is away: what was read before is as good as it gets.
      if (cached !== undefined) return cached;
      throw refused('InvalidCredentials', `Secret ${name} cannot be read at present`);
    }
    const identity = `${secret.uid}/${secret.resourceVersion}`;
    if (cached?.identity === identity) return { ...cached, readAt: now };
    return { identity, client: this.#create(source, store, credentialsOf(secret, name)), readAt: now };
  }

  async #read(namespace: string, name: string, signal: AbortSignal): Promise<SecretView | 'unreadable'> {
    const secret = await this.#options.readSecret(namespace, name, signal).catch(() => {
      signal.throwIfAborted();
      return 'unreadable' as const;
    });
    if (secret !== undefined) return secret;
    throw refused('InvalidCredentials', `Secret ${name} does not exist in namespace ${namespace}`);
  }

  #create(source: ArtifactSource, store: StoreConfig, credentials?: S3Credentials): S3Client {
    const { endpoint, region, forcePathStyle } = store;
    const settings = {
      forcePathStyle,
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
    };
    return this.#options.createClient({ store: settings, region: source.region, credentials });
  }
}

function credentialsOf({ data }: SecretView, name: string): S3Credentials {
  const accessKeyId = decoded(data['AWS_ACCESS_KEY_ID']);
  const secretAccessKey = decoded(data['AWS_SECRET_ACCESS_KEY']);
  const sessionToken = decoded(data['AWS_SESSION_TOKEN']);
  if (accessKeyId === '' || secretAccessKey === '') {
    throw refused('InvalidCredentials', `Secret ${name} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== '' && { sessionToken }) };
}

/** People put a newline at the end of a Secret's value without noticing; no key has one. */
function decoded(value: string | undefined): string {
  return Buffer.from(value ?? '', 'base64')
    .toString('utf8')
    .trim();
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
