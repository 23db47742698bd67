import { pino } from 'pino';
import { expect, it } from 'vitest';
import { LoadError } from '../errors.ts';
import { poll } from './first-load.ts';
import type { LoadRequest } from './load-request.ts';
import type { Slot } from './slot.ts';
import type { Store } from './store.ts';

/** Polls a store that answers these in turn (a text is a failure), and then ends. */
async function polled(answers: readonly ({ readonly etag: string } | string)[]) {
  const ending = new AbortController();
  const left = [...answers];
  const loads: (string | undefined)[] = [];
  const logs: unknown[] = [];
  const store: Store = {
    look(key) {
      const next = left.shift();
      if (left.length === 0) ending.abort();
      if (typeof next === 'object') return Promise.resolve({ key, ...next });
      return Promise.reject(new LoadError('NoSuchKey', next ?? 'nothing left'));
    },
    fetch: () => Promise.reject(new Error('is not called')),
  };
  const load = ({ etag }: LoadRequest) => {
    loads.push(etag);
    return Promise.resolve('loaded' as const);
  };
  const slot: Slot = { current: undefined, sequence: 0, failure: undefined, load };
  const write = (line: string) => void logs.push((JSON.parse(line) as { detail: unknown }).detail);
  await poll({ slot, store, key: 'k', everyMs: 0, log: pino({}, { write }) }, ending.signal);
  return { loads, logs };
}

it('loads a version once for each time that the key gets it', async () => {
  const [a, b] = [{ etag: '"a"' }, { etag: '"b"' }];

  expect((await polled([a, a, b, b, a, a])).loads).toEqual(['"a"', '"b"', '"a"']);
});

it('says once why the store does not tell, and again when that has changed or come back', async () => {
  const { logs, loads } = await polled(['down', 'down', 'denied', { etag: '"a"' }, 'denied', 'denied', 'the end']);

  expect(logs).toEqual(['down', 'denied', 'denied']);
  expect(loads).toEqual(['"a"']);
});
