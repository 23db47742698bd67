// Runs the scripts of a program, each with the bytecode that the build kept of it: a start compiles next to nothing. V8 refuses bytecode of another version
// of itself, or made with other flags; such a script is compiled as usual.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const SCRIPTS = join(__dirname, 'scripts');
/** Scripts believe that they lie in this folder, where the workers are that they start. */
const HERE = { url: pathToFileURL(__filename).href, file: __filename, folder: __dirname };
/** What scripts, and the parts of scripts, export. */
const loaded = new Map();
const scripts = new Map();

/** What the script of that name exports. */
function load(name) {
  if (loaded.has(name)) return loaded.get(name);
  const filename = join(SCRIPTS, name);
  const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData: bytecodeOf(filename) });
  const module = { exports: {} };
  const requireIt = (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id));
  script.runInThisContext()(module.exports, requireIt, module, HERE.file, HERE.folder, HERE.url);
  scripts.set(name, script);
  loaded.set(name, module.exports);
  for (const [part, exported] of Object.entries(module.exports.parts ?? {})) loaded.set(part, exported);
  return module.exports;
}

function bytecodeOf(filename) {
  try {
    return readFileSync(`${filename}c`);
  } catch {
    return undefined;
  }
}

/** Keeps the bytecode of all functions that have run in this thread. */
function keep() {
  for (const [name, script] of scripts) writeFileSync(join(SCRIPTS, `${name}c`), script.createCachedData());
}

module.exports = { load, keep };
