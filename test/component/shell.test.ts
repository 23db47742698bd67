// The shell around @dot-i/k8s-operator, in a process of its own: what matters is that it never ends that process, and vitest imports CommonJS otherwise
// than Node does.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = `
  import { Shell } from './operator/shell.ts';
  const calls = [];
  const note = (call, failure) => async () => { calls.push(call); if (failure) throw new Error(failure); };
  const info = () => undefined;

  const shell = new Shell({ info, run: note('run'), shutDown: note('shutDown') });
  await shell.start();
  shell.stop();
  await shell.stopped();

  const failing = new Shell({ info, run: note('run', 'no CRD'), shutDown: note('shutDown') });
  await failing.start().catch((error) => calls.push(error.message));
  await failing.watchResource('', 'v1', 'pods', async () => {}).catch((error) => calls.push(error.message));
  console.log(JSON.stringify(calls));
`;

it('starts and stops the operator, fails as it does, has no watch of its own, and leaves the process alone', async () => {
  const cwd = new URL('../..', import.meta.url);
  const env = { PATH: '', HOME: '/nonexistent' };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd,
    env,
    timeout: 20_000,
  });
  const { stdout } = await run;
  expect(JSON.parse(stdout)).toEqual([
    'run',
    'shutDown',
    'shutDown',
    'run',
    'no CRD',
    'watch with operator/kube/watch.ts',
  ]);
}, 30_000);
