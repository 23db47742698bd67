import { describe, expect, it } from 'vitest';
import { endpointsOf } from './endpoints.ts';

function slice(endpoints: unknown[], overrides: Record<string, unknown> = {}) {
  return {
    metadata: { name: 'blue-x1', labels: { 'kubernetes.io/service-name': 'blue' } },
    addressType: 'IPv4',
    ports: [
      { name: 'admin', port: 8081 },
      { name: 'http', port: 8080 },
    ],
    endpoints,
    ...overrides,
  };
}

function pod(uid: string, conditions: Record<string, boolean | null> | null = { ready: true }, address = '10.0.0.1') {
  return { addresses: [address], conditions, targetRef: { kind: 'Pod', uid } };
}

describe('endpointsOf', () => {
  it('takes the port called http and the ready pods by uid', () => {
    expect(endpointsOf([slice([pod('b'), pod('a')])]).get('blue')).toEqual([
      { uid: 'a', address: '10.0.0.1', port: 8080, ready: true },
      { uid: 'b', address: '10.0.0.1', port: 8080, ready: true },
    ]);
  });

  it('keeps a pod that is going away but still serves, and leaves out one that is not ready', () => {
    const going = pod('going', { ready: false, serving: true, terminating: true });
    const starting = pod('starting', { ready: false, serving: false, terminating: false });

    expect(endpointsOf([slice([going, starting])]).get('blue')).toMatchObject([{ uid: 'going', ready: false }]);
  });

  it('takes absent and null conditions for a yes, as the API says', () => {
    expect(endpointsOf([slice([pod('a', null), pod('b', { ready: null })])]).get('blue')).toHaveLength(2);
  });

  it('counts a pod once that is in several slices: IPv4 and ready before the others', () => {
    const six = slice([pod('a', { ready: true }, 'fd00::1')], { addressType: 'IPv6' });
    const old = slice([pod('a', { ready: false, serving: true }, '10.0.0.1')]);
    const four = slice([pod('b', { ready: true }, '10.0.0.2')]);
    const sixToo = slice([pod('b', { ready: true }, 'fd00::2')], { addressType: 'IPv6' });

    expect(
      endpointsOf([six, old, sixToo, four])
        .get('blue')
        ?.map(({ address }) => address),
    ).toEqual(['fd00::1', '10.0.0.2']);
  });

  it('makes a name from the address of an endpoint without a pod', () => {
    const bare = { addresses: ['fd00::7'], conditions: { ready: true } };

    expect(endpointsOf([slice([bare], { addressType: 'IPv6' })]).get('blue')?.[0]?.uid).toBe('ip-fd00__7');
  });

  it.each([
    ['null endpoints', slice([], { endpoints: null })],
    ['no ports', slice([pod('a')], { ports: null })],
    ['host names', slice([pod('a', null, 'example.com')], { addressType: 'FQDN' })],
    ['no address', slice([{ addresses: [], conditions: { ready: true } }])],
    ['no label', slice([pod('a')], { metadata: { name: 'x' } })],
    ['something else', { kind: 'Status' }],
  ])('makes nothing of a slice with %s', (_what, object) => {
    expect(endpointsOf([object]).get('blue') ?? []).toEqual([]);
  });
});
