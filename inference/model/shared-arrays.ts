// One copy of a model for several threads: its arrays in memory that all of them read.

/** The same plain data, its arrays in shared memory. */
export function withSharedArrays<T>(data: T): T {
  return shared(data, new Map()) as T;
}

/** Parts of a model are trees of plain objects and lists, as deep as their reader allows. */
function shared(value: unknown, known: Map<ArrayBufferLike, SharedArrayBuffer>): unknown {
  if (ArrayBuffer.isView(value)) return viewOf(value, known);
  if (Array.isArray(value)) return value.map((member) => shared(member, known));
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shared(member, known)]));
}

function viewOf(view: ArrayBufferView, known: Map<ArrayBufferLike, SharedArrayBuffer>): unknown {
  const { buffer, byteOffset } = view;
  const memory = known.get(buffer) ?? copied(buffer);
  known.set(buffer, memory);
  const length = 'length' in view ? view.length : undefined;
  return Reflect.construct(view.constructor, [memory, byteOffset, length]);
}

function copied(buffer: ArrayBufferLike): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(buffer.byteLength);
  new Uint8Array(memory).set(new Uint8Array(buffer));
  return memory;
}
