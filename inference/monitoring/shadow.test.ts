import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { anExchange } from '../../test/support/an-exchange.ts';
import { BINARY_HEADER, SHADOW_HEADER } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { PostError } from './post.ts';
import type { Answer, Order } from './post.ts';
import { Shadow } from './shadow.ts';
import type { ShadowOptions } from './shadow.ts';
import { shadowView } from './shadow-view.ts';

const PEER = { name: 'candidate', url: 'http://retail--candidate/', percent: 100 };

/** A shadow whose peers answer so. */
function aShadow(
  answer: (order: Order) => Partial<Answer> | Promise<never> = () => ({}),
  change: Partial<ShadowOptions> = {},
) {
  const orders: Order[] = [];
  const shadow = new Shadow({
    post: async (order) => {
      orders.push(order);
      return {
        status: 200,
        headers: { 'x-model-version': '2' },
        body: '{"predictions":["low"]}',
        ...(await answer(order)),
      };
    },
    variant: 'champion',
    redacted: new Set(),
    keepBodies: false,
    random: () => 0.5,
    ...change,
  });
  shadow.use([PEER]);
  return { shadow, orders };
}

async function offer(shadow: Shadow, change: Partial<Exchange> = {}): Promise<void> {
  shadow.tap()?.(anExchange(change));
  for (let turn = 0; turn < 6; turn += 1) await nextTurn();
}

const droppedBy = (shadow: Shadow) => shadowView(shadow).peers[0]?.dropped;

describe('a copy', () => {
  it('goes to the same path of the peer, marked as a copy', async () => {
    const { shadow, orders } = aShadow();

    await offer(shadow, { headers: { 'content-type': 'application/json', traceparent: '00-a-b-01' } });

    expect(orders).toEqual([
      {
        url: new URL('http://retail--candidate/v1/models/retail:predict'),
        body: Buffer.from('{"instances":[[1,2]]}'),
        headers: {
          'content-type': 'application/json',
          'x-request-id': 'req-1',
          [SHADOW_HEADER]: 'champion',
          traceparent: '00-a-b-01',
        },
      },
    ]);
  });

  it('asks for whatever version the peer has', async () => {
    const { shadow, orders } = aShadow();

    await offer(shadow, { path: '/v2/models/retail/versions/7/infer' });

    expect(orders[0]?.url.pathname).toBe('/v2/models/retail/infer');
  });

  it.each([
    ['of a copy', { headers: { [SHADOW_HEADER]: 'other' } }],
    ['of a refused request', { status: 400 }],
  ])('is not made %s', async (_, change) => {
    const { shadow, orders } = aShadow();

    await offer(shadow, change);

    expect(orders).toEqual([]);
    expect(droppedBy(shadow)).toEqual({});
  });

  it('is made of a sample, for each peer its own', async () => {
    const { shadow, orders } = aShadow();
    shadow.use([
      PEER,
      { ...PEER, name: 'more', url: 'http://more', percent: 51 },
      { ...PEER, name: 'less', percent: 50 },
    ]);

    await offer(shadow);

    expect(orders.map(({ url }) => url.host)).toEqual(['retail--candidate', 'more']);
  });

  it.each([
    ['binary', { headers: { [BINARY_HEADER]: '9' } }],
    ['too_large', { body: Buffer.alloc(256 * 1024) }],
  ])('is dropped when it is %s', async (reason, change) => {
    const { shadow, orders } = aShadow();

    await offer(shadow, change);

    expect(orders).toEqual([]);
    expect(droppedBy(shadow)).toEqual({ [reason]: 1 });
  });

  it('is dropped when there are too many, and the caller never waits', async () => {
    const { shadow } = aShadow(() => new Promise<never>(() => undefined));

    for (let count = 0; count < 250; count += 1) shadow.tap()?.(anExchange());

    expect(droppedBy(shadow)).toEqual({ queue_full: 50 });
    await nextTurn();
    await nextTurn();
    expect(shadowView(shadow).peers[0]?.waiting).toBe(192);
  });
});

describe('what comes back', () => {
  it('is counted by pair of versions', async () => {
    const { shadow } = aShadow();

    await offer(shadow);
    await offer(shadow, { answer: '{"predictions":["high"]}' });

    expect(shadowView(shadow).peers).toEqual([
      {
        name: 'candidate',
        percent: 100,
        waiting: 0,
        dropped: {},
        versions: [{ version: '1.0.0', peerVersion: '2', rows: 2, agreeing: 1, agreement: 0.5 }],
      },
    ]);
  });

  it('is shown where it differs, without the request', async () => {
    const { shadow } = aShadow();

    await offer(shadow, { answer: '{"predictions":["high"]}' });

    expect(shadowView(shadow).disagreements).toEqual([
      {
        time: '2026-01-02T03:04:05.678Z',
        requestId: 'req-1',
        path: '/v1/models/retail:predict',
        peer: 'candidate',
        version: '1.0.0',
        peerVersion: '2',
        row: 0,
        rows: 1,
        ours: 'high',
        theirs: 'low',
      },
    ]);
  });

  it('is shown with the redacted request where that is wanted', async () => {
    const { shadow } = aShadow(undefined, { keepBodies: true, redacted: new Set(['b']) });

    await offer(shadow, { answer: '{"predictions":["high"]}' });
    await offer(shadow, { answer: '{"predictions":["high"]}', body: Buffer.from('NaN') });

    expect(shadow.disagreements.map(({ body }) => body)).toEqual([undefined, { instances: [[1, null]] }]);
  });

  it.each([
    ['refused', () => ({ status: 503 })],
    ['not_comparable', () => ({ body: '<html>' })],
    ['timeout', () => Promise.reject(new PostError('timeout', 'no answer'))],
    ['failed', () => Promise.reject(new Error('a bug'))],
  ])('is dropped: %s', async (reason, answer) => {
    const { shadow } = aShadow(answer);

    await offer(shadow);

    expect(droppedBy(shadow)).toEqual({ [reason]: 1 });
  });
});

describe('other peers', () => {
  it('take over with what is known of those that stay, and those that go get nothing more', async () => {
    const { shadow, orders } = aShadow();
    await offer(shadow);

    shadow.use([{ ...PEER, url: 'https://elsewhere', percent: 60 }]);
    await offer(shadow);
    shadow.use([{ ...PEER, name: 'new' }]);
    await offer(shadow);
    shadow.use([]);
    await offer(shadow);

    expect(orders.map(({ url }) => url.origin)).toEqual([
      'http://retail--candidate',
      'https://elsewhere',
      'http://retail--candidate',
    ]);
    expect(shadow.tap()).toBeUndefined();
  });

  it('drop what waits for those that go', async () => {
    const held = Promise.withResolvers<never>();
    const { shadow, orders } = aShadow(() => held.promise);
    for (let count = 0; count < 20; count += 1) await offer(shadow);
    const underWay = orders.length;

    shadow.use([]);
    held.reject(new PostError('unreachable', 'gone'));
    for (let turn = 0; turn < 100; turn += 1) await nextTurn();

    expect([underWay, orders.length]).toEqual([8, 8]);
  });
});
