// `npm run build`: one self-contained file per program in dist/, which is all that the images carry, and beside it the licences of what is in it.
// `node build.js --outdir DIR PROGRAM…` builds some of them somewhere else.
import { build } from 'esbuild';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = import.meta.dirname;
const { values, positionals } = parseArgs({ options: { outdir: { type: 'string' } }, allowPositionals: true });
const outdir = values.outdir ?? join(root, 'dist');

// Program → its bundles by their path in dist/. The worker lies beside the program that starts it.
const PROGRAMS = {
  operator: { 'operator/main': 'operator/main.ts' },
  router: { 'router/main': 'router/main.ts' },
  inference: {
    'inference/main': 'inference/main.ts',
    'inference/worker': 'inference/model/worker.ts',
    'inference/onnx-worker': 'inference/onnx/worker.ts',
  },
};

// CommonJS packages inside an ES module still ask for these.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

// What libraries import and we never call, with inert stand-ins: of client-node only the kubeconfig is used, over node:https,
// and of the shell's base class only start and stop. This leaves out 800 generated models, two HTTP clients and a third of the memory.
const INERT = {
  undici:
    'export class Agent { constructor() { throw new Error("undici is not in the bundle"); } }; export { Agent as ProxyAgent };',
  gaxios: 'export function request() { throw new Error("gaxios is not in the bundle"); }',
  // grpc-js describes itself with it, on a service that nobody adds; our own codec reads the messages.
  '@grpc/proto-loader': 'export function loadSync() { throw new Error("proto-loader is not in the bundle"); }',
  './gen/index.js': 'export class ServerConfiguration {}; export function createConfiguration() { return {}; }',
};

const slimClientNode = {
  name: 'slim-client-node',
  setup(context) {
    context.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: join(root, 'operator/kube/client-node.ts'),
    }));
    context.onResolve({ filter: /^(undici|gaxios|@grpc\/proto-loader|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      /node_modules\/(@kubernetes|@dot-i|@grpc)\//.test(importer) ? { path, namespace: 'inert' } : undefined,
    );
    context.onLoad({ filter: /.*/, namespace: 'inert' }, ({ path }) => ({ contents: INERT[path] }));
  },
};

async function bundle(program, entries) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    bundle: true,
    // What is imported when it is needed lies in a file of its own: a server without S3 or gRPC never reads theirs.
    splitting: true,
    chunkNames: `${program}/[name]-[hash]`,
    platform: 'node',
    format: 'esm',
    // Native code, and optional: the image with ONNX has it in node_modules.
    external: ['onnxruntime-node'],
    // Packages that come in both forms: only their ES modules can be cut down to what is used.
    mainFields: ['module', 'main'],
    target: 'node24',
    banner: { js: BANNER },
    plugins: [slimClientNode],
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, program, 'THIRD-PARTY-NOTICES.txt'), notices(Object.keys(metafile.inputs)));
  for (const [file, { bytes }] of Object.entries(metafile.outputs))
    console.log(`${file}  ${Math.ceil(bytes / 1024)} KiB`);
}

/** Name, version, licence and licence text of every package that the given files belong to. */
function notices(inputs) {
  const packages = new Set(inputs.map(packageOf).filter((dir) => dir !== undefined));
  const texts = [...packages].sort().map((dir) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, dir)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(root, dir, file), 'utf8').trim()}`;
    return `${name} ${version} (${license ?? 'see text'})${text}`;
  });
  return `This program contains the following packages.\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** Folder of the package, relative to the root: the last node_modules of the path counts, and a scope has two parts. */
function packageOf(input) {
  const [, inside, name] = /^(.*node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
  return name === undefined ? undefined : join(inside, name);
}

rmSync(outdir, { recursive: true, force: true });
const programs = positionals.length > 0 ? positionals : Object.keys(PROGRAMS);
for (const program of programs) await bundle(program, PROGRAMS[program]);
writeFileSync(join(outdir, 'package.json'), '{"type":"module"}\n');
