// Optional fields without undefined: `exactOptionalPropertyTypes` and JSON both know only present and absent.

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Required<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/** The fields that are not undefined. */
export function defined<T extends object>(fields: T): Required<T> & Optional<T> {
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the type says just what the filter does; TypeScript cannot follow fromEntries
  return present as Required<T> & Optional<T>;
}
