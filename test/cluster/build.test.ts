import { expect, it } from 'vitest';
import { kubeLinkerFlags } from './binaries.ts';
import { isPackageLine } from './build.ts';

it.each([
  ['k8s.io/kubernetes/pkg/apis/core', true],
  ['crypto/internal/fips140/aes', true],
  ['errors', true],
  ['go: downloading k8s.io/api v0.36.3', false],
  ['# k8s.io/kubernetes/pkg/x', false],
  ['', false],
])('tells a compiled package from other lines of the Go tool: %j', (line, expected) => {
  expect(isPackageLine(line)).toBe(expected);
});

it('stamps the version into both packages that report one', () => {
  const flags = kubeLinkerFlags();

  expect(flags).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
  expect(flags).toContain('-X k8s.io/client-go/pkg/version.gitMinor=36');
});
