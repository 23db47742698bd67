// From ES modules to the scripts that boot.cjs runs: V8 keeps bytecode of scripts, and Node hands it over for them alone.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reachedBy } from './reached.js';

const PARAMETERS = 'exports,require,module,__filename,__dirname,__url';

/**
 * Writes modules (name → code and imports) as scripts into the folder of a program. Each of the `entries` becomes one script with all that it needs at its
 * start, whose parts call each other directly; what is imported later is a script of its own, and finds those parts by their names.
 */
export async function writeScripts(folder, modules, entries) {
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  const starts = new Map(entries.map((name) => [name, reachedBy(modules, name, ['import-statement'])]));
  const isPart = (name) =>
    [...starts].every(([entry, parts]) => parts.has(name) || !reachedBy(modules, entry).has(name));
  for (const name of modules.keys()) {
    const parts = starts.get(name) ?? new Set([name]);
    if (starts.has(name) || !isPart(name))
      writeFileSync(join(folder, 'scripts', name), await scriptOf(name, parts, modules));
  }
  for (const name of entries) writeFileSync(join(folder, name), `require('./boot.cjs').load('${name}');\n`);
  copyFileSync(join(import.meta.dirname, 'boot.cjs'), join(folder, 'boot.cjs'));
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
}

async function scriptOf(name, parts, modules) {
  const { outputFiles } = await build({
    stdin: { contents: parts.size === 1 ? modules.get(name).code : joined(name, parts) },
    write: false,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    define: { 'import.meta.url': '__url' },
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    plugins: [from(modules, parts)],
  });
  return `(function(${PARAMETERS}){"use strict";${outputFiles[0].text}\n})`;
}

/** A module that runs the entry, then hands out its parts: path → exports. */
function joined(name, parts) {
  const others = [...parts].filter((part) => part !== name);
  const imports = others.map((part, at) => `import * as part${at} from './${part}';`);
  const members = others.map((part, at) => `'${part}': part${at}`);
  return `import './${name}'; ${imports.join(' ')} export const parts = { ${members.join(', ')} };`;
}

/** Reads modules from memory; what is not among the `parts` is required when the script runs. */
function from(modules, parts) {
  return {
    name: 'from-memory',
    setup(context) {
      context.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        const name = path.replace(/^\.\//, '');
        return kind === 'dynamic-import' || !parts.has(name)
          ? { path, external: true }
          : { path: name, namespace: 'memory' };
      });
      context.onLoad({ filter: /.*/, namespace: 'memory' }, ({ path }) => ({ contents: modules.get(path).code }));
    },
  };
}
