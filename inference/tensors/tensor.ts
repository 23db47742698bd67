// An input tensor of the Open Inference Protocol, from the JSON of a request or from the binary data behind it. Pure.
import { HttpError } from '../errors.ts';
import { type Datatype, type Elements, datatypeOf, numberOfJson, readBinary, textOfJson } from './datatype.ts';

export interface InputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly rows: number;
  /** 1 for a tensor of shape [rows]. */
  readonly columns: number;
  /** Row-major, `rows` times `columns` of them. */
  readonly elements: Elements;
}

/** Name, datatype and shape of a tensor whose elements are still to be read. */
export type TensorHead = Omit<InputTensor, 'elements'>;

/** The part of a body behind its JSON: the tensors' binary data, one after the other. */
export class BinaryTail {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Throws HttpError 400. */
  take(size: unknown): Uint8Array {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw bad('binary_data_size must be a number of bytes');
    }
    const end = this.#at + size;
    if (end > this.#bytes.length) throw bad(`the body ends before the ${size} bytes of binary_data_size`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Throws HttpError 400 when no tensor has taken the last bytes. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw bad(`${left} bytes of binary data belong to no input`);
  }
}

/** Throws HttpError 400. */
export function headOf(name: unknown, datatype: unknown, shape: unknown, maxRows: number): TensorHead {
  if (typeof name !== 'string') throw bad('an input has no name');
  const sizes: readonly unknown[] = Array.isArray(shape) ? shape : [];
  const [rows, columns = 1] = sizes;
  if (!isSize(rows) || !isSize(columns) || sizes.length > 2) {
    throw bad(`shape of ${shown(name)} must be one or two whole numbers: [rows] or [rows, columns]`);
  }
  if (rows > maxRows) throw bad(`at most ${maxRows} rows in one request`);
  return { name, datatype: datatypeOf(datatype), rows, columns };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** An entry of a request's `inputs`. Throws HttpError 400. */
export function tensorOfJson(input: Readonly<Record<string, unknown>>, tail: BinaryTail, maxRows: number): InputTensor {
  const { name, datatype, shape, data, parameters } = input;
  const head = headOf(name, datatype, shape, maxRows);
  const size = parametersOf(parameters)['binary_data_size'];
  if (size === undefined) return { ...head, elements: elementsOfJson(data, head) };
  if (data !== undefined) throw bad(`${shown(head.name)} has data and binary_data_size: send one of them`);
  return { ...head, elements: readBinary(tail.take(size), head.datatype, head.rows * head.columns) };
}

/** Parameters are an object where they are given. Throws HttpError 400. */
export function parametersOf(parameters: unknown): Readonly<Record<string, unknown>> {
  if (parameters === undefined || parameters === null) return {};
  if (isRecord(parameters)) return parameters;
  throw bad('parameters must be an object');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Row-major, flat or as a list of rows. */
function elementsOfJson(data: unknown, head: TensorHead): Elements {
  if (!Array.isArray(data)) throw bad(`data of ${shown(head.name)} must be a list`);
  const list: readonly unknown[] = data;
  const flat = Array.isArray(list[0]) ? flattened(list, head) : list;
  if (flat.length !== head.rows * head.columns) throw misfit(head);
  const { datatype } = head;
  if (datatype === 'BYTES') return flat.map(textOfJson);
  const numbers = new Float64Array(flat.length);
  for (let at = 0; at < flat.length; at += 1) numbers[at] = numberOfJson(flat[at], datatype);
  return numbers;
}

function flattened(rows: readonly unknown[], head: TensorHead): readonly unknown[] {
  const flat: unknown[] = [];
  for (const row of rows) {
    const cells: readonly unknown[] = Array.isArray(row) ? row : [];
    if (cells.length !== head.columns) throw misfit(head);
    for (const cell of cells) flat.push(cell);
  }
  return flat;
}

function misfit({ name, rows, columns }: TensorHead): HttpError {
  return bad(`data of ${shown(name)} does not fit the shape [${rows}, ${columns}]`);
}

/** A client's name for something, as it may stand in a message. */
export function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
