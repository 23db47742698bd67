// From ES modules to the scripts that boot.cjs runs: V8 keeps bytecode of scripts, and Node hands it over for them alone.
import { transform } from 'esbuild';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PARAMETERS = 'exports,require,module,__filename,__dirname,__url';

/** Writes the modules (name → code) as scripts into the folder of a program, with one file to start for each of the `entries`. */
export async function writeScripts(folder, modules, entries) {
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  for (const [name, code] of modules) writeFileSync(join(folder, 'scripts', name), await scriptOf(code));
  for (const name of entries) writeFileSync(join(folder, name), `require('./boot.cjs').load('${name}');\n`);
  copyFileSync(join(import.meta.dirname, 'boot.cjs'), join(folder, 'boot.cjs'));
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
}

async function scriptOf(module) {
  const { code } = await transform(module, {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    define: { 'import.meta.url': '__url' },
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
  });
  return `(function(${PARAMETERS}){"use strict";${code}\n})`;
}
