// Users of the API server and the files by which they reach it.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_NAME } from './config.ts';

const USERS = {
  admin: { user: 'admin', groups: ['system:masters'] },
  'kube-controller-manager': { user: 'system:kube-controller-manager', groups: [] },
  'kube-scheduler': { user: 'system:kube-scheduler', groups: [] },
  'kube-proxy': { user: 'system:kube-proxy', groups: [] },
  kubelet: { user: `system:node:${NODE_NAME}`, groups: ['system:nodes'] },
} as const;
export type User = keyof typeof USERS;

export type Tokens = Readonly<Record<User, string>>;

export function makeTokens(): Tokens {
  const names = Object.keys(USERS);
  return Object.fromEntries(names.map((name) => [name, randomBytes(24).toString('base64url')])) as Record<User, string>;
}

/** The file for --token-auth-file: token, user, id and groups in a line each. */
export function renderTokens(tokens: Tokens): string {
  const lines = Object.entries(USERS).map(([name, { user, groups }], index) => {
    const token = tokens[name as User];
    return `${token},${user},${String(index + 1)},"${groups.join(',')}"\n`;
  });
  return lines.join('');
}

/** A kubeconfig as JSON, which is YAML. */
export function renderKubeconfig(server: string, authority: string, token: string): string {
  const data = Buffer.from(authority).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'switchyard', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'switchyard', user: { token } }],
    contexts: [{ name: 'switchyard', context: { cluster: 'switchyard', user: 'switchyard' } }],
    'current-context': 'switchyard',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

export function kubeconfigPath(runDir: string, user: User): string {
  return join(runDir, `${user}.kubeconfig`);
}

/** Writes one file a user; the authority is the certificate that the API server has made for itself. */
export async function writeKubeconfigs(runDir: string, server: string, tokens: Tokens): Promise<void> {
  const authority = await readFile(join(runDir, 'pki/apiserver.crt'), 'utf8');
  for (const [user, token] of Object.entries(tokens)) {
    const text = renderKubeconfig(server, authority, token);
    await writeFile(kubeconfigPath(runDir, user as User), text, { mode: 0o600 });
  }
}
