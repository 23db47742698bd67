// An ONNX file as the reader hands it over: its bytes, and how to ask it.
import { readGraph } from './graph.ts';
import { type Signature, signatureOf } from './signature.ts';

export interface OnnxFile {
  readonly signature: Signature;
  /** The whole file, in a buffer of its own; empty once a session has it. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly session?: number;
}

/** Name of an ONNX file. */
export const ONNX_FILE = /\.onnx$/i;
/** Memory that a session takes, for each byte of its file (measured: 13.6 for trees). */
export const SESSION_BYTES = 14;

/** Reads what the file says of itself; nothing is run. Throws ModelError. */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  const signature = signatureOf(readGraph(bytes));
  return { signature, onnx: new Uint8Array(bytes) };
}
