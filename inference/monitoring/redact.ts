// Takes named fields out of a body: members of objects, tensors of that name, and the columns of rows that have no names. Pure.

export const REDACTED = '[redacted]';
/** Deeper than any body of an API here. */
const MAX_DEPTH = 32;

export interface Fields {
  readonly names: ReadonlySet<string>;
  /** Names of the model's features, in the order of a row. */
  readonly columns: readonly string[];
}

/** A copy of a JSON value without what the fields name. What cannot be told apart, or is too deep to look at, is taken out too. */
export function redact(value: unknown, fields: Fields, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || fields.names.size === 0) return value;
  if (depth > MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redact(item, fields, depth + 1));
  const members = Object.entries(value).map(([key, member]: [string, unknown]) =>
    fields.names.has(key) ? [key, REDACTED] : [key, redact(member, fields, depth + 1)],
  );
  return withoutColumns(Object.fromEntries(members) as Members, fields);
}

type Members = Readonly<Record<string, unknown>>;

/** `instances` of V1 and the `data` of a tensor of V2 hold rows without names. */
function withoutColumns(members: Members, fields: Fields): Members {
  const { instances, data, name, shape } = members;
  if (Array.isArray(instances)) return { ...members, instances: rowsWithout(instances, fields) };
  if (!Array.isArray(data) || !Array.isArray(shape)) return members;
  if (typeof name === 'string' && fields.names.has(name)) return { ...members, data: REDACTED };
  const width: unknown = shape[1] ?? 1;
  if (width === 1 && fields.columns.length !== 1) return members; // one column, and not of that name
  return { ...members, data: rowsWithout(data, fields) };
}

/** Lists of cells, or all cells in one list. Objects have been seen to. */
function rowsWithout(rows: readonly unknown[], { names, columns }: Fields): unknown {
  if (columns.length === 0) return REDACTED;
  const isHidden = columns.map((name) => names.has(name));
  const cell = (value: unknown, at: number) => (isHidden[at % columns.length] === true ? null : value);
  if (rows.some(Array.isArray)) return rows.map((row: unknown) => (Array.isArray(row) ? row.map(cell) : row));
  return rows.some((row) => typeof row === 'object') ? rows : rows.map(cell);
}
