import { describe, expect, it } from 'vitest';
import { network } from './config.ts';
import { findTakenRange, insideNamespace, overlaps, placeInside } from './network.ts';

describe('overlaps', () => {
  it.each([
    ['10.203.0.0/16', '10.203.7.0/24', true],
    ['10.203.7.0/24', '10.203.0.0/16', true],
    ['10.203.0.0/16', '10.0.0.0/8', true],
    ['10.203.0.0/16', '10.203.1.2', true],
    ['10.203.0.0/16', '10.204.0.0/16', false],
    ['10.201.0.0/30', '10.201.0.4/30', false],
    ['10.203.0.0/16', '192.168.0.0/16', false],
  ])('%s and %s: %s', (left, right, expected) => {
    expect(overlaps(left, right)).toBe(expected);
  });
});

describe('findTakenRange', () => {
  it('finds a route of another network in our addresses', () => {
    const routes = [
      { dst: 'default', dev: 'eth0' },
      { dst: '10.203.8.0/24', dev: 'vpn0' },
    ];

    expect(findTakenRange(routes)).toEqual({ range: network.serviceRange, route: '10.203.8.0/24' });
  });

  it('accepts the default route, our own routes and what lies elsewhere', () => {
    const routes = [
      { dst: 'default', dev: 'eth0' },
      { dst: network.podRange, dev: network.hostLink },
      { dst: network.podRange, type: 'blackhole' },
      { dst: '172.17.0.0/16', dev: 'docker0' },
    ];

    expect(findTakenRange(routes)).toBeUndefined();
  });
});

it('keeps the process id of a daemon that it places inside: nsenter becomes the program', () => {
  const [command, args] = insideNamespace('etcd', ['--quiet']);

  expect(placeInside({ name: 'etcd', command: 'etcd', args: ['--quiet'] })).toEqual({ name: 'etcd', command, args });
  expect([command, ...args]).toEqual(['nsenter', '--net=/var/run/netns/switchyard', 'etcd', '--quiet']);
});
