// What a slot needs to bring its models into use: how a file becomes a model, and who else has to have it.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Artifacts, LocalArtifact } from './artifacts.ts';

/** Makes what answers requests out of a verified file. */
export type Prepare<T> = (artifact: LocalArtifact, revision: string | undefined, signal: AbortSignal) => Promise<T>;

/** Another process that answers requests, and has to be brought to a version. */
export interface Activation<T> {
  /** Resolves when it serves `next`. Otherwise it is back on `former` where that was possible; throws LoadError. */
  activate(next: T, former: T | undefined, signal: AbortSignal): Promise<void>;
  /** Whether it serves this version, as far as is known. */
  isActive(model: T): boolean;
}

export interface SlotOptions<T> {
  readonly artifacts: Artifacts;
  readonly prepare: Prepare<T>;
  /** Throws SchemaIncompatible when clients of `former` could not use `next`. */
  readonly checkSuccessor: (next: T, former: T) => void;
  /** Whatever a request says of it, models may follow each other that clients have to tell apart. */
  readonly allowSchemaChange: boolean;
  /** Absent: the model answers in this process. */
  readonly activation?: Activation<T>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest time of one load, in milliseconds. */
  readonly timeoutMs: number;
  /** Told of every other model in use, at once. A load is done when this resolves. */
  readonly onCurrent?: (model: T | undefined) => Promise<void>;
  /** Told of each model that nobody will ask for again; requests may still be using it. */
  readonly onDropped?: (model: T) => void;
  /** Told of every load that ended: its status or reason, and how long it took. */
  readonly onLoaded?: (result: string, durationMs: number) => void;
}
