import { expect, it } from 'vitest';
import { makeTokens, renderKubeconfig, renderTokens } from './kubeconfig.ts';

it('gives every user a token of its own, in the form of --token-auth-file', () => {
  const tokens = makeTokens();

  const lines = renderTokens(tokens).trimEnd().split('\n');

  expect(new Set(Object.values(tokens)).size).toBe(lines.length);
  expect(lines[0]).toBe(`${tokens.admin},admin,1,"system:masters"`);
  expect(lines.at(-1)).toBe(`${tokens.kubelet},system:node:node1,5,"system:nodes"`);
});

it('writes a kubeconfig that depends on no other file', () => {
  const config = JSON.parse(renderKubeconfig('https://10.201.0.2:6443', 'PEM', 'secret')) as object;

  expect(config).toMatchObject({
    clusters: [{ cluster: { server: 'https://10.201.0.2:6443', 'certificate-authority-data': 'UEVN' } }],
    users: [{ user: { token: 'secret' } }],
  });
});
