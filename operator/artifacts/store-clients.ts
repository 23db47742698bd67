// Readers of object stores, of whatever kind the operator's configuration says.
import type { Clock } from '../runtime/clock.ts';
import { HttpReaders, type HttpAccess } from './http-reader.ts';
import type { StoreReader } from './reader.ts';
import { createS3Reader, S3ClientFactory, type S3ClientInput } from './s3-reader.ts';

/** A store, and as whom it is asked. */
export type StoreAccess = ({ readonly kind: 's3' } & S3ClientInput) | ({ readonly kind: 'http' } & HttpAccess);

export type ReaderOf = (bucket: string) => StoreReader;

/** Owns the connections to all stores, until `close`. */
export class StoreClients {
  readonly #s3 = new S3ClientFactory();
  readonly #http = new HttpReaders();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One client, and a reader for each bucket of the store on it. */
  open(access: StoreAccess): ReaderOf {
    if (access.kind === 'http') return (bucket) => this.#http.create(access, bucket, this.#clock);
    const client = this.#s3.create(access);
    return (bucket) => createS3Reader(client, bucket, this.#clock);
  }

  close(): void {
    this.#s3.close();
    this.#http.close();
  }
}
