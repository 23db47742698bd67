// Which calls answer "what version do these keys have?": one List covers up to 1,000 keys of a folder, a HEAD one key. Pure.

export type Call =
  | { readonly kind: 'list'; readonly prefix: string; readonly keys: readonly string[] }
  | { readonly kind: 'head'; readonly key: string };

/** S3's own order of keys: by the bytes of their UTF-8, which is not the order of JavaScript's `<`. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Calls that cover every key once. Keys of one folder share a List; where a folder cannot be listed (forbidden, or too full to be worth it) its
 * subfolders are tried; what stays alone is asked by HEAD, which is cheaper than a List and needs less permission.
 */
export function planCalls(keys: readonly string[], canList: (prefix: string) => boolean): readonly Call[] {
  const [first] = keys;
  if (first === undefined) return [];
  if (keys.length === 1) return [{ kind: 'head', key: first }];
  const prefix = commonFolder(keys);
  if (canList(prefix)) return [{ kind: 'list', prefix, keys: [...keys].sort(compareKeys) }];
  return [...bySegment(keys, prefix).values()].flatMap((group) => planCalls(group, canList));
}

/** The longest `a/b/` that all keys begin with; empty when they share none. */
export function commonFolder(keys: readonly string[]): string {
  let prefix = keys[0] ?? '';
  for (const key of keys) {
    let length = 0;
    while (length < prefix.length && prefix[length] === key[length]) length += 1;
    prefix = prefix.slice(0, length);
  }
  return prefix.slice(0, prefix.lastIndexOf('/') + 1);
}

/** Keys by their next folder below `prefix`; a key directly in it stands alone. */
function bySegment(keys: readonly string[], prefix: string): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const slash = key.indexOf('/', prefix.length);
    const segment = slash < 0 ? key : key.slice(0, slash + 1);
    // A key that *is* a folder marker (`a/`) must not stay in one group with what is below it: the group would never get smaller.
    const name = segment === key ? `${key}\0` : segment;
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  return groups;
}

/** A key shortly before `key`, so that a List which starts after it begins at `key` or a few keys earlier. */
export function justBefore(key: string): string {
  const last = key.charCodeAt(key.length - 1);
  const head = key.slice(0, -1);
  const isPlain = last > 0x21 && last < 0x7f;
  return isPlain ? `${head}${String.fromCharCode(last - 1)}~` : head;
}
