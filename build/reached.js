// Which modules of a bundle a module loads.

/** Names of all that `entry` imports, by imports of these kinds, and itself; of modules: name → imports. */
export function reachedBy(modules, entry, kinds = ['import-statement', 'dynamic-import']) {
  const reached = new Set([entry]);
  for (const name of reached) {
    for (const { kind, name: imported } of modules.get(name).imports) {
      if (kinds.includes(kind) && modules.has(imported)) reached.add(imported);
    }
  }
  return reached;
}
