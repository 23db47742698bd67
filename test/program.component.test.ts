import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { projectRoot } from './cluster/config.ts';

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runProgramOf(path: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(projectRoot, path), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}

describe.each([
  {
    path: 'test/main.ts',
    args: ['--only', 'nope'],
    wrong: 'nope',
    right: ['static', 'unit', 'component', 'api', 'cluster'],
  },
  { path: 'test/demo/main.ts', args: ['--wrong'], wrong: '--wrong', right: ['--keep', '--json', '--help'] },
  { path: 'test/demo/main.ts', args: ['up'], wrong: '"up"', right: ['upload', 'down'] },
  { path: 'test/demo/main.ts', args: ['upload', 'bad'], wrong: '"bad"', right: ['good', 'broken'] },
  { path: 'test/demo/main.ts', args: ['down', '--keep'], wrong: '--keep', right: ['down'] },
  { path: 'operator/crds.ts', args: ['--chekc'], wrong: '--chekc', right: ['--check', '--help'] },
  { path: 'test/bench/main.ts', args: ['nope'], wrong: 'nope', right: ['reload', 'steady'] },
  { path: 'test/cluster/main.ts', args: ['foo'], wrong: 'foo', right: ['up', 'down', 'status', 'kubectl'] },
])('$path $args', ({ path, args, wrong, right }) => {
  it('names the wrong word, the right ones and the usage, and ends with 2', async () => {
    const { status, stdout, stderr } = await runProgramOf(path, args);
    const [problem = '', empty, usage, command] = stderr.split('\n');

    expect(status).toBe(2);
    expect(stdout).toBe('');
    for (const word of [wrong, ...right]) expect(problem).toContain(word);
    expect([empty, usage]).toEqual(['', 'Usage']);
    expect(command).toMatch(/^ {2}npm (test|run \w+)/);
    expect(stderr).not.toContain('    at ');
  });
});

it.each(['test/main.ts', 'test/demo/main.ts', 'test/bench/main.ts', 'test/cluster/main.ts', 'operator/crds.ts'])(
  '%s --help shows help and ends with 0',
  async (path) => {
    const { status, stdout, stderr } = await runProgramOf(path, ['--help']);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('  npm ');
  },
);

it('ends its clean-up although the signal comes twice, as it does to a whole process group', async () => {
  // Cleans up until its input ends.
  const program = `
    import { once } from 'node:events';
    import { runProgram } from ${JSON.stringify(pathToFileURL(join(projectRoot, 'test/program.ts')).href)};
    await runProgram('', async (_, signal) => {
      process.stdin.resume();
      process.stdout.write('up ');
      await once(signal, 'abort');
      process.stdout.write('cleaning ');
      await once(process.stdin, 'end');
      process.stdout.write('clean');
      return 3;
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  const closed = once(child, 'close');

  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  child.stdin.end();

  expect(await closed).toEqual([3, null]);
  expect(stdout).toBe('up cleaning clean');
});
