// The models of a serving thread: those that are ready, and the one that answers.
import { systemClock } from '../clock.ts';
import type { Failure } from '../contract.ts';
import { failureOf, loadErrorOf } from '../errors.ts';
import { modelLoader } from '../model/loader.ts';
import { servedBy } from '../model/prepare.ts';
import type { ReadArtifact } from '../model/read-artifact.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
import type { Prepare } from '../model/slot-options.ts';
import type { OnnxSessions } from '../onnx/sessions.ts';
import type { Prepared } from './protocol.ts';

export interface VersionsOptions {
  readonly maxBytes: number;
  readonly onnx: Pick<OnnxSessions, 'open'>;
}

/** Nothing ends what a thread has begun: it is forgotten when it is done. */
const never = new AbortController().signal;

export class Versions implements ServingSlot {
  readonly #prepare: Prepare<ServedModel>;
  /** What the main thread has read, by the name of its version. */
  readonly #read = new Map<string, ReadArtifact>();
  /** undefined: being readied. */
  readonly #known = new Map<number, ServedModel | undefined>();
  #id: number | undefined;
  #current: ServedModel | undefined;

  constructor(options: VersionsOptions) {
    const loader = modelLoader(options, ({ key }) => Promise.resolve(this.#taken(key)));
    this.#prepare = servedBy(loader, systemClock);
  }

  get current(): ServedModel | undefined {
    return this.#current;
  }

  /** What the version in use is called. */
  get id(): number | undefined {
    return this.#id;
  }

  /** Makes a model of what the main thread has read; requests get their turn in between. */
  async prepare({ id, artifact }: Prepared): Promise<Failure | undefined> {
    const key = String(id);
    this.#known.set(id, undefined);
    this.#read.set(key, artifact);
    try {
      // File and revision are the main thread's to know.
      const served = await this.#prepare({ key, path: '', sha256: '', size: 0 }, undefined, never);
      if (this.#known.has(id)) this.#known.set(id, served);
      else served.model.remote?.letGo();
      return undefined;
    } catch (error) {
      this.#known.delete(id);
      this.#read.delete(key);
      return failureOf(loadErrorOf(error));
    }
  }

  serve(id: number | undefined): void {
    this.#id = id;
    this.#current = id === undefined ? undefined : this.#known.get(id);
  }

  drop(id: number): void {
    this.#known.get(id)?.model.remote?.letGo();
    this.#known.delete(id);
  }

  #taken(key: string): ReadArtifact {
    const artifact = this.#read.get(key);
    if (artifact === undefined) throw new Error(`nothing was read as version ${key}`);
    this.#read.delete(key);
    return artifact;
  }
}
