// What is told of the whole process, whichever of its threads is asked.
import type { ModelInfo } from './contract.ts';
import type { ShadowView } from './monitoring/shadow-view.ts';

type Eventually<T> = T | Promise<T>;

export interface Overview {
  /** GET /metrics: all of it in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** GET /model/info; undefined while nothing is loaded. */
  readonly info: () => Eventually<ModelInfo | undefined>;
  /** GET /model/shadow. */
  readonly shadow: () => Eventually<ShadowView>;
  /** Begins a load of what the server was started for. */
  readonly reload: () => void;
}
