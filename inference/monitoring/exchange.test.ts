import { expect, it } from 'vitest';
import { offerCopies } from './exchange.ts';
import type { Answered, Exchange } from './exchange.ts';

const whole = Buffer.alloc(65_536);
const answered: Answered = {
  requestId: 'req-1',
  path: '/predict',
  headers: { 'content-type': 'application/json', authorization: 'Bearer secret', cookie: 'a=b' },
  body: whole.subarray(10, 20),
  status: 200,
  answer: '{}',
  served: undefined,
};

it('asks for the request only when somebody wants a copy', () => {
  let asked = 0;
  const ask = () => {
    asked += 1;
    return answered;
  };

  offerCopies([], ask, () => 7);
  offerCopies([() => undefined, () => undefined], ask, () => 7);

  expect(asked).toBe(0);
});

it('gives one copy to all who want it, with the headers that they need and no more of what was read than the body', () => {
  const taken: Exchange[] = [];
  const take = (exchange: Exchange) => void taken.push(exchange);

  offerCopies(
    [() => take, () => undefined, () => take],
    () => answered,
    () => 7,
  );

  expect(taken).toHaveLength(2);
  expect(taken[0]).toMatchObject({ requestId: 'req-1', at: 7, headers: { 'content-type': 'application/json' } });
  expect(JSON.stringify(taken[0]?.headers)).not.toMatch(/secret|cookie/);
  expect(taken[0]?.body.buffer.byteLength).toBe(10);
});
