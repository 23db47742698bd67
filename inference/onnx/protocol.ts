// What the thread that serves and the thread that owns the ONNX sessions say to each other.
import type { Input } from './signature.ts';

export type Order =
  | { readonly do: 'open'; readonly session: number; readonly file: Uint8Array; readonly inputs: readonly Input[] }
  | RunOrder
  | { readonly do: 'release'; readonly session: number };

export interface RunOrder {
  readonly do: 'run';
  readonly session: number;
  readonly rows: Float64Array<ArrayBuffer>;
  readonly count: number;
  readonly output: string;
}

/** One tensor of an answer. */
export type Column = Float64Array<ArrayBuffer> | readonly string[];

export type Outcome =
  | { readonly ok: true; readonly column?: Column }
  /** `missing`: there is no ONNX Runtime in this installation. */
  | { readonly ok: false; readonly message: string; readonly missing?: true };

export type Asked = Order & { readonly id: number };
export type Answered = Outcome & { readonly id: number };
