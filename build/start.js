// What a start of the model server may not load: it takes time and memory, and is not always needed. It belongs behind an `import()`.
import { reachedBy } from './reached.js';

const REFUSED = [
  /^node:(https|http2|tls)$/,
  /node_modules\/(tar-stream|streamx|@aws-sdk|@smithy|@grpc|@marcbachmann)\//,
];

/** Throws for an entry (of modules: name → imports and inputs) that loads one of these before it is asked to. */
export function checkStart(modules, entry) {
  for (const name of reachedBy(modules, entry, ['import-statement'])) {
    const { imports, inputs } = modules.get(name);
    const found = [
      ...imports.filter(({ kind }) => kind !== 'dynamic-import').map((imported) => imported.name),
      ...inputs,
    ];
    const refused = found.find((path) => REFUSED.some((pattern) => pattern.test(path)));
    if (refused !== undefined) throw new Error(`${entry} loads ${refused} at its start: see build/start.js`);
  }
}
