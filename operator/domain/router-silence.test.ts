import { describe, expect, it } from 'vitest';
import type { RouterPodObserved } from './observed.ts';
import { confirmationPollMs, MUTE_DEADLINE_MS, routerToReplace, silentRouters } from './router-silence.ts';

const applied = { generation: 1, checksum: 'c', slots: [] };
const pod = (name: string, overrides: Partial<RouterPodObserved> = {}): RouterPodObserved => ({
  name,
  uid: `uid-${name}`,
  ready: true,
  terminating: false,
  ...overrides,
});
const mute = (name: string, ms: number, hasAnswered = true) => pod(name, { silence: { ms, hasAnswered } });
const chosen = (...pods: readonly RouterPodObserved[]) => routerToReplace({ pods })?.name;

it('is asked quickly at first and ever more slowly when nothing comes of it', () => {
  expect([0, 2000, 8000, 40_000, 600_000].map(confirmationPollMs)).toEqual([250, 250, 1000, 5000, 5000]);
});

it('is named in status once its silence is no mere restart', () => {
  expect(silentRouters([mute('a', 9000), mute('b', 10_000), { ...mute('c', 60_000), ready: false }])).toEqual(['b']);
});

describe('a router that is ready and silent', () => {
  it('is replaced after the deadline, while another one answers', () => {
    expect(chosen(mute('a', MUTE_DEADLINE_MS - 1), pod('b', { applied }))).toBeUndefined();
    expect(chosen(mute('a', MUTE_DEADLINE_MS), pod('b', { applied }))).toBe('a');
  });

  it('is left alone when it may be the last that serves', () => {
    expect(chosen(mute('a', MUTE_DEADLINE_MS), mute('b', MUTE_DEADLINE_MS))).toBeUndefined();
    expect(chosen(mute('a', MUTE_DEADLINE_MS), pod('b', { ready: false, applied }))).toBeUndefined();
  });

  it('is replaced without another one when it has never answered', () => {
    expect(chosen(mute('a', MUTE_DEADLINE_MS, false))).toBe('a');
  });

  it('goes alone: the longest silent first, and none while another pod is going', () => {
    const [a, b, c] = [mute('a', MUTE_DEADLINE_MS), mute('b', MUTE_DEADLINE_MS + 1), pod('c', { applied })];
    expect(chosen(a, b, c)).toBe('b');
    expect(chosen(a, b, c, pod('d', { terminating: true }))).toBeUndefined();
  });

  it('is given twice as long after each that was replaced in vain, up to an hour', () => {
    const pods = (ms: number) => [mute('a', ms), pod('b', { applied })];
    expect(routerToReplace({ pods: pods(MUTE_DEADLINE_MS), replaced: 1 })).toBeUndefined();
    expect(routerToReplace({ pods: pods(2 * MUTE_DEADLINE_MS), replaced: 1 })?.name).toBe('a');
    expect(routerToReplace({ pods: pods(3_600_000), replaced: 30 })?.name).toBe('a');
  });
});

it('leaves a pod that is not ready to the kubelet', () => {
  expect(chosen({ ...mute('a', 3_600_000), ready: false }, pod('b', { applied }))).toBeUndefined();
});
