import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { anExchange } from '../../test/support/an-exchange.ts';
import { BINARY_HEADER } from './exchange.ts';
import { PayloadLog, SinkError } from './payload-log.ts';
import type { PayloadLogOptions } from './payload-log.ts';

function aLog(change: Partial<PayloadLogOptions> = {}) {
  const events: string[] = [];
  const troubles: unknown[] = [];
  const log = new PayloadLog({
    rate: 1,
    sink: (event) => {
      events.push(event);
      return Promise.resolve();
    },
    redacted: new Set(),
    origin: () => ({ modelDeployment: 'retail', namespace: 'ml', variant: 'blue' }),
    random: () => 0.5,
    onTrouble: (error) => troubles.push(error),
    ...change,
  });
  return { log, events, troubles };
}

it('sends both events of a request, one id on both', async () => {
  const { log, events } = aLog();

  log.tap()?.(anExchange());
  await log.close(1000);

  const [request, response] = events.map((event) => JSON.parse(event) as { id: string; type: string });
  expect(events).toHaveLength(2);
  expect(request?.id).toBe(response?.id);
  expect(log.read()).toMatchObject({ sent: 1, waiting: 0 });
});

it.each([
  [0.6, 1],
  [0.5, 0],
  [0.1, 0],
])('takes a sample: of a rate of %d and chance 0.5 %i', async (rate, sent) => {
  const { log } = aLog({ rate });

  log.tap()?.(anExchange());
  await log.close(1000);

  expect(log.read().sent).toBe(sent);
});

it('drops what is binary, large, or too much at a time', async () => {
  const held = Promise.withResolvers<undefined>();
  const { log } = aLog({ sink: () => held.promise });

  log.tap()?.(anExchange({ headers: { [BINARY_HEADER]: '7' } }));
  log.tap()?.(anExchange({ body: Buffer.alloc(256 * 1024) }));
  log.tap()?.(anExchange({ answer: 'x'.repeat(128 * 1024) }));
  for (let count = 0; count < 1003; count += 1) log.tap()?.(anExchange());

  expect(log.read()).toMatchObject({ waiting: 1000 });
  expect(Object.fromEntries(log.read().dropped)).toEqual({ binary: 1, too_large: 2, queue_full: 3 });
  held.resolve(undefined);
  await log.close(1000);
  expect(log.read()).toMatchObject({ sent: 1000, waiting: 0 });
});

it('counts what the sink does not take, and says so once until it takes something again', async () => {
  let isDown = true;
  const { log, troubles } = aLog({
    sink: () => (isDown ? Promise.reject(new SinkError('refused', 'the sink answered 503')) : Promise.resolve()),
  });
  const send = async () => {
    log.tap()?.(anExchange());
    for (let turn = 0; turn < 6; turn += 1) await nextTurn();
  };

  await send();
  await send();
  isDown = false;
  await send();
  isDown = true;
  await send();

  expect(troubles).toHaveLength(2);
  expect(log.read()).toMatchObject({ sent: 1, dropped: new Map([['refused', 3]]) });
});
