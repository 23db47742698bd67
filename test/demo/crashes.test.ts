import { expect, it } from 'vitest';
import { crashingContainers, describeCrashes } from './crashes.ts';

const waiting = (name: string, reason: string) => ({ name, state: { waiting: { reason } } });
const aPod = (name: string, status: object) => ({ metadata: { name, namespace: 'ml' }, status });

const PODS = JSON.stringify({
  items: [
    aPod('pending', {}),
    aPod('well', { containerStatuses: [{ name: 'model', state: { running: {} } }] }),
    aPod('starting', { containerStatuses: [waiting('model', 'ContainerCreating')] }),
    aPod('crashing', {
      initContainerStatuses: [waiting('fetch', 'CrashLoopBackOff')],
      containerStatuses: [waiting('model', 'PodInitializing'), waiting('agent', 'CrashLoopBackOff')],
    }),
  ],
});

it('finds the containers that crash again and again, init containers included', () => {
  expect(crashingContainers(PODS)).toEqual([
    { namespace: 'ml', pod: 'crashing', container: 'fetch' },
    { namespace: 'ml', pod: 'crashing', container: 'agent' },
  ]);
});

it('shows what they said last, and leaves out what cannot be had', async () => {
  const kubectl = async (args: readonly string[]): Promise<string> => {
    if (args[0] === 'get') return Promise.resolve(PODS);
    return args.includes('fetch') ? Promise.resolve('no bucket\nbye\n') : Promise.reject(new Error('no log'));
  };

  expect((await describeCrashes(kubectl)).split('\n')).toEqual([
    'ml/crashing container fetch crashes again and again. Its last lines:',
    '  no bucket',
    '  bye',
    'ml/crashing container agent crashes again and again. Its last lines:',
    '  nothing',
    '',
  ]);
});

it('says nothing when there are no pods to be had', async () => {
  expect(await describeCrashes(async () => Promise.reject(new Error('no cluster')))).toBe('');
});
