// Whether a model fits into memory, asked before anything of it is read: a process that takes more than its limit is killed, and the active model with it.
import { LoadError } from '../load-error.ts';
import { ONNX_FILE, SESSION_BYTES } from '../onnx/file.ts';

/** In bytes. */
export interface Memory {
  /** What this process may use in all. */
  readonly limit: number;
  /** What it uses, the active and the held models included. */
  readonly used: number;
}

const MiB = 2 ** 20;
/** A thread that reads. */
const THREAD_BYTES = 10 * MiB;
/** What it made and has not collected yet, which is less for small files. */
const GARBAGE_BYTES = 40 * MiB;
const GARBAGE_OF_A_BYTE = 12;

/**
 * What each byte of a file takes at most while it is read: itself, the values in it, the finished model. Measured with files of 1 to 100 MB, and rounded
 * up: JSON 5.7, UBJSON 7.7, LightGBM's text 4.7, pickles 1.8 of what is in them. `memory.component.test.ts` measures again.
 */
const FACTORS: readonly { readonly endings: RegExp; readonly factor: number }[] = [
  { endings: /\.json$/i, factor: 6.5 },
  { endings: /\.(?:ubj|bst)$/i, factor: 9 },
  { endings: /\.txt$/i, factor: 5.5 },
  // The runtime holds it, beside a copy of the bytes on the way there.
  { endings: ONNX_FILE, factor: SESSION_BYTES + 2 },
];
const PICKLE_FACTOR = 3;

function factorOf(fileName: string): number {
  return FACTORS.find(({ endings }) => endings.test(fileName))?.factor ?? PICKLE_FACTOR;
}

/** Most memory that reading a file of so many bytes takes beside what is in use. */
export function peakOf(fileName: string, bytes: number): number {
  return THREAD_BYTES + Math.min(GARBAGE_BYTES, bytes * GARBAGE_OF_A_BYTE) + bytes * factorOf(fileName);
}

/** The inverse: the size of the largest file that fits. The largest of all are those of a format that is not told by the name. */
export function largestIn(fileName: string, memory: Memory | undefined): number {
  if (memory === undefined) return Infinity;
  const { limit, used } = memory;
  const free = limit - used - THREAD_BYTES;
  const factor = factorOf(fileName);
  const small = Math.min(free / (factor + GARBAGE_OF_A_BYTE), GARBAGE_BYTES / GARBAGE_OF_A_BYTE);
  return Math.floor(Math.max(0, small, (free - GARBAGE_BYTES) / factor));
}

/** What is in use stays so: the active model answers until the new one does. Throws LoadError when both do not fit. */
export function checkMemory(fileName: string, bytes: number, memory: Memory | undefined): void {
  if (memory === undefined) return;
  if (memory.used + peakOf(fileName, bytes) > memory.limit) throw insufficientMemory(fileName, bytes, memory);
}

/** What is needed, what there is, and the limit with which it would fit. */
export function insufficientMemory(fileName: string, bytes: number, { limit, used }: Memory): LoadError {
  const peak = peakOf(fileName, bytes);
  return new LoadError(
    'InsufficientMemory',
    `Reading ${fileName} (${inMiB(bytes)}) takes up to ${inMiB(peak)} beside the ${inMiB(used)} in use, ` +
      `the limit of ${inMiB(limit)} leaves ${inMiB(Math.max(0, limit - used))}: raise the memory limit to ${inMiB(used + peak)}`,
  );
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / MiB)} MiB`;
}
