// The scripts of a bundle, run from sources of our own with what the build puts beside them.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectRoot } from '../cluster/config.ts';

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-boot-'));
  await mkdir(join(folder, 'scripts'));
  await copyFile(join(projectRoot, 'build/boot.cjs'), join(folder, 'boot.cjs'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, body: string): Promise<void> {
  const script = `(function(exports,require,module,__filename,__dirname,__url){${body}\n})`;
  await writeFile(join(folder, 'scripts', name), script);
}

/** What `expression` prints in a process that has loaded main.js as `main`. */
async function started(expression: string): Promise<string> {
  const boot = JSON.stringify(join(folder, 'boot.cjs'));
  const { stdout } = await run(process.execPath, [
    '-p',
    `const boot = require(${boot}), main = boot.load('main.js'); ${expression}`,
  ]);
  return stdout.trim();
}

it('runs scripts that need one another once, and modules of Node', async () => {
  await write('count.js', 'globalThis.runs = (globalThis.runs ?? 0) + 1; exports.runs = () => runs;');
  await write(
    'main.js',
    `require('./count.js'); exports.told = () => [require('./count.js').runs(), require('node:os').EOL]`,
  );

  expect(await started('JSON.stringify(main.told())')).toBe('[1,"\\n"]');
});

it('lets a script that is loaded later find the parts of another one', async () => {
  await write(
    'main.js',
    `exports.parts = { 'part.js': { name: 'a part' } }; exports.later = () => require('./later.js');`,
  );
  await write('later.js', `exports.found = require('./part.js').name;`);

  expect(await started('main.later().found')).toBe('a part');
});

it('lets scripts find what lies beside it', async () => {
  await write('main.js', `exports.beside = () => new URL('./worker.js', __url).pathname + __dirname;`);

  expect(await started('main.beside()')).toBe(join(folder, 'worker.js') + folder);
});

it('runs the bytecode that was kept, in place of a source of the same length', async () => {
  await write('main.js', `exports.answer = () => 'one';`);
  await started('main.answer(); boot.keep()');

  await write('main.js', `exports.answer = () => 'two';`);

  expect(await started('main.answer()')).toBe('one');
});

it.each([
  ['of another source', async () => write('main.js', `exports.answer = () => 'another';`), 'another'],
  ['damaged', async () => writeFile(join(folder, 'scripts/main.jsc'), 'bytes'), 'two'],
])('compiles a script whose bytecode is %s', async (_, change, answer) => {
  await write('main.js', `exports.answer = () => 'one';`);
  await started('main.answer(); boot.keep()');
  await write('main.js', `exports.answer = () => 'two';`);

  await change();

  expect(await started('main.answer()')).toBe(answer);
});
