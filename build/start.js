// What a start of the model server may not load: it takes time and memory, and is not always needed. It belongs behind an `import()`.

const REFUSED = [
  /^node:(https|http2|tls)$/,
  /node_modules\/(tar-stream|streamx|@aws-sdk|@smithy|@grpc|@marcbachmann)\//,
];

/** Throws for an entry of an esbuild metafile that loads one of these before it is asked to. */
export function checkStart({ outputs }, entry) {
  const files = new Map(Object.entries(outputs));
  const reached = new Set([[...files.keys()].find((path) => files.get(path).entryPoint === entry)]);
  for (const path of reached) {
    const { imports, inputs } = files.get(path);
    const now = imports.filter(({ kind }) => kind !== 'dynamic-import');
    const found = [...now.map((imported) => imported.path), ...Object.keys(inputs)];
    const refused = found.find((name) => REFUSED.some((pattern) => pattern.test(name)));
    if (refused !== undefined) throw new Error(`${entry} loads ${refused} at its start: see build/start.js`);
    for (const imported of now) if (!imported.external) reached.add(imported.path);
  }
}
