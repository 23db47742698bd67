import { expect, it } from 'vitest';
import { isShimOf } from './containerd.ts';

const shim = '/usr/bin/containerd-shim-runc-v2';
const ours = '/run/switchyard/cluster/containerd.sock';

it.each([
  [[shim, '-namespace', 'k8s.io', '-id', '8b35', '-address', ours], true],
  [[shim, '-namespace', 'moby', '-id', '8b35', '-address', '/run/containerd/containerd.sock'], false],
  [['/usr/bin/ctr', '-address', ours], false],
  [[shim, ours], false],
  [[''], false],
])('tells our shims by the socket in their command line: %j', (args, expected) => {
  expect(isShimOf(args, ours)).toBe(expected);
});
