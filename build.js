// `npm run build`: every program self-contained in dist/, which is all that the images carry, and beside it the licences of what is in it.
import { build } from 'esbuild';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notices } from './build/notices.js';
import { lazyHttp, slim } from './build/slim.js';

const root = import.meta.dirname;
const outdir = join(root, 'dist');

// Program → its files in dist/<program>/. A worker lies beside the program that starts it.
const PROGRAMS = {
  operator: { main: 'operator/main.ts' },
  router: { main: 'router/main.ts' },
  inference: {
    main: 'inference/main.ts',
    worker: 'inference/model/worker.ts',
    'onnx-worker': 'inference/onnx/worker.ts',
  },
};

// CommonJS packages inside an ES module still ask for these.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

async function bundle(program) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: PROGRAMS[program],
    outdir: join(outdir, program),
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
    banner: { js: BANNER },
    plugins: [slim(root), lazyHttp],
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, program, 'THIRD-PARTY-NOTICES.txt'), notices(root, Object.keys(metafile.inputs)));
  for (const [file, { bytes }] of Object.entries(metafile.outputs))
    console.log(`${file}  ${Math.ceil(bytes / 1024)} KiB`);
}

rmSync(outdir, { recursive: true, force: true });
for (const program of Object.keys(PROGRAMS)) await bundle(program);
writeFileSync(join(outdir, 'package.json'), '{"type":"module"}\n');
