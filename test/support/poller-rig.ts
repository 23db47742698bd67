// A poller over a bucket in memory and a clock that stands still, with a record of whom it called.
import type { OpenSource } from '../../operator/artifacts/opener.ts';
import { ArtifactPoller } from '../../operator/artifacts/poller.ts';
import type { ArtifactSource, Resolution, WantedArtifact } from '../../operator/artifacts/source.ts';
import { FakeBucket } from './fake-bucket.ts';
import { FakeClock } from './fake-clock.ts';

export const SECOND = 1000;
export const MINUTE = 60_000;
export const SOURCE: ArtifactSource = { store: 'minio', bucket: 'models', region: 'us-east-1', namespace: 'ml' };

export interface PollerRig {
  readonly clock: FakeClock;
  readonly poller: ArtifactPoller;
  readonly bucket: FakeBucket;
  /** Resources called because something changed, in order. */
  readonly changes: string[];
  readonly errors: unknown[];
  /** `head ok`, `list Throttled`, … as counted for the metrics. */
  readonly counted: string[];
  /** How a source is opened; replace it for other credentials or refusals. */
  open: (refresh: boolean) => OpenSource;
  /** Forgets the calls of the bucket so far, lets time pass and returns the new ones. */
  callsWithin(ms: number): Promise<readonly string[]>;
}

export function pollerRig({ versioned = false, canList = true } = {}): PollerRig {
  const clock = new FakeClock();
  const bucket = new FakeBucket(clock, { versioned });
  bucket.canList = canList;
  const changes: string[] = [];
  const errors: unknown[] = [];
  const counted: string[] = [];
  const poller = new ArtifactPoller({
    clock,
    random: () => 0.5,
    opener: { open: (_source, refresh) => Promise.resolve(refresh).then((again) => rig.open(again)) },
    onChange: (resource) => changes.push(resource),
    onError: (error) => errors.push(error),
    onCall: (operation, outcome) => counted.push(`${operation} ${outcome}`),
  });
  const rig: PollerRig = {
    ...{ clock, poller, bucket, changes, errors, counted },
    open: () => ({ reader: bucket, identity: 'a' }),
    async callsWithin(ms) {
      bucket.calls.length = 0;
      await clock.advance(ms);
      return [...bucket.calls];
    },
  };
  return rig;
}

export function wanted(key: string, overrides: Partial<WantedArtifact> = {}): WantedArtifact {
  return { source: SOURCE, key, intervalMs: 30 * SECOND, ...overrides };
}

export function resolved(resolution: Resolution) {
  if (resolution.kind !== 'resolved') throw new Error(`is ${JSON.stringify(resolution)}`);
  return resolution;
}

export function failedWith(resolution: Resolution) {
  if (resolution.kind !== 'failed') throw new Error(`is ${JSON.stringify(resolution)}`);
  return resolution;
}
