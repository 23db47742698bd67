// What the main thread and a serving thread call at each other.
import type { Config } from '../config.ts';
import type { Failure, ShadowPeer } from '../contract.ts';
import type { ReadArtifact } from '../model/read-artifact.ts';
import type { Copy } from '../monitoring/copies.ts';
import type { Taken } from '../monitoring/counts.ts';
import type { Overview } from '../overview.ts';
import type { PortsConfig, PublicPorts } from '../public-ports.ts';
import type { SessionCalls } from './remote-sessions.ts';
import type { TapSettings } from './taps.ts';

/** What a thread is started with. */
export interface ThreadStart {
  readonly config: ThreadConfig;
  /** Those that the main thread listens on already. */
  readonly ports: PublicPorts;
}

/** The part of the configuration that a serving thread needs. */
export interface ThreadConfig
  extends
    PortsConfig,
    Pick<Config, 'modelDeployment' | 'logLevel' | 'maxModelBytes' | 'driftWindowMs' | 'driftMinRows'> {
  readonly copies: TapSettings;
}

export interface Prepared {
  /** What the version is called between the two threads. */
  readonly id: number;
  readonly artifact: ReadArtifact;
}

/** What has been counted since the last reading, and how things stand. */
export interface Reading {
  readonly taken: Taken;
  /** The version that it was counted with. */
  readonly id: number | undefined;
  readonly open: number;
  readonly inFlight: number;
}

/** What the main thread calls. */
export interface ThreadCalls {
  /** Readies a version beside the one that answers. Resolves to the reason where it cannot. */
  prepare(version: Prepared): Promise<Failure | undefined>;
  /** From now on it answers by that version, which is ready; undefined: by none. */
  serve(id: number | undefined): void;
  /** Nobody will ask for that version again. */
  drop(id: number): void;
  /** All threads serve: it may say that it is ready. */
  open(): void;
  /** Who gets shadow copies. */
  shadow(peers: readonly ShadowPeer[]): void;
  /** The process is going. */
  leave(): void;
  /** See Connections. */
  drain(id: string): number;
  shed(count: number): void;
  read(): Reading;
  /** Ends its ports; resolves when nothing is under way. */
  close(limitMs: number): Promise<Reading>;
}

/** What a serving thread calls. */
export interface MainCalls extends Overview, SessionCalls {
  /** A line of the log. */
  log(line: string): void;
  /** A copy of a request, for somebody who wants one. */
  copy(copy: Copy): void;
  /** The last reading of a version. */
  counted(reading: Reading): void;
}
