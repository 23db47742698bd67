// `npm run build`: every program self-contained in dist/, which is all that the images carry, and beside it the licences of what is in it.
// `node build.js --outdir DIR PROGRAM…` builds some of them somewhere else.
import { build } from 'esbuild';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { keepBytecode } from './build/bytecode.js';
import { notices } from './build/notices.js';
import { writeScripts } from './build/scripts.js';
import { lazyHttp, slim } from './build/slim.js';
import { checkStart } from './build/start.js';

const root = import.meta.dirname;
const { values, positionals } = parseArgs({ options: { outdir: { type: 'string' } }, allowPositionals: true });
const outdir = values.outdir ?? join(root, 'dist');

// Program → its files in dist/<program>/. A worker lies beside the program that starts it.
const PROGRAMS = {
  operator: { main: 'operator/main.ts' },
  router: { main: 'router/main.ts' },
  inference: {
    main: 'inference/main.ts',
    worker: 'inference/model/worker.ts',
    'onnx-worker': 'inference/onnx/worker.ts',
    'serving-thread': 'inference/threads/thread.ts',
  },
};

// CommonJS packages inside an ES module still ask for these.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** Answers its modules: name → code, imports, inputs. */
async function bundle(program, options) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: PROGRAMS[program],
    outdir: join(outdir, program),
    write: false,
    bundle: true,
    // What is imported when it is needed lies in a file of its own: a server without S3 or gRPC never reads theirs.
    splitting: true,
    platform: 'node',
    format: 'esm',
    // Native code, and optional: the image with ONNX has it in node_modules.
    external: ['onnxruntime-node'],
    // Packages that come in both forms: only their ES modules can be cut down to what is used.
    mainFields: ['module', 'main'],
    target: 'node24',
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    ...options,
  });
  mkdirSync(join(outdir, program), { recursive: true });
  writeFileSync(join(outdir, program, 'THIRD-PARTY-NOTICES.txt'), notices(root, Object.keys(metafile.inputs)));
  for (const { path, contents } of outputFiles) console.log(`${path}  ${Math.ceil(contents.length / 1024)} KiB`);
  return new Map(
    outputFiles.map(({ path, text }) => [basename(path), moduleOf(text, metafile.outputs[relative(root, path)])]),
  );
}

function moduleOf(code, { imports, inputs }) {
  const named = imports.map(({ path, kind, external }) => ({ kind, name: external === true ? path : basename(path) }));
  return { code, imports: named, inputs: Object.keys(inputs) };
}

async function bundleModules(program) {
  const modules = await bundle(program, { banner: { js: BANNER }, plugins: [slim(root), lazyHttp] });
  for (const [name, { code }] of modules) writeFileSync(join(outdir, program, name), code);
}

async function bundleScripts(program) {
  const modules = await bundle(program, { plugins: [slim(root)] });
  const entries = Object.keys(PROGRAMS[program]).map((name) => `${name}.js`);
  checkStart(modules, 'main.js');
  await writeScripts(join(outdir, program), modules, entries);
  await keepBytecode(join(outdir, program));
}

rmSync(outdir, { recursive: true, force: true });
const programs = positionals.length > 0 ? positionals : Object.keys(PROGRAMS);
for (const program of programs) await (program === 'inference' ? bundleScripts(program) : bundleModules(program));
writeFileSync(join(outdir, 'package.json'), '{"type":"module"}\n');
