// How this machine reaches package servers: its npm, apt settings and certificates, for builds inside containers to reach them too.
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findCommand, run } from './command.ts';
import { MissingPart } from './missing.ts';

/** Where Debian keeps the authorities that this machine trusts, those of its administrator included. */
export const HOST_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Folder of the machine's npm: the `node` package brings no npm with it. */
export async function npmFolder(): Promise<string> {
  const npm = await findCommand('npm');
  if (npm === undefined) throw new MissingPart('npm is missing: it comes with Node.');
  // …/npm/bin/npm-cli.js
  return dirname(dirname(await realpath(npm)));
}

const NPM_KEYS = ['registry', 'proxy', 'https-proxy', 'noproxy'] as const;

/** Lines for an npmrc: where packages come from, and that the image's own certificate file is to be trusted. No credentials. */
export async function npmSettings(): Promise<string> {
  const listed = JSON.parse(await run('npm', ['config', 'list', '--json'], { cwd: '/' })) as Record<string, unknown>;
  const lines = NPM_KEYS.flatMap((key) => {
    const value = listed[key];
    return typeof value === 'string' && value !== '' ? [`${key}=${value}\n`] : [];
  });
  return `cafile=${HOST_CERTIFICATES}\n${lines.join('')}`;
}

/** What apt is told here about proxies, certificates and the age of indexes. */
export async function aptSettings(): Promise<string> {
  const dump = await run('apt-config', ['dump']).catch(() => '');
  return selectAptSettings(dump);
}

/** The lines of `apt-config dump` that a container needs to reach the same mirror. */
export function selectAptSettings(dump: string): string {
  const wanted = /^Acquire::(Check-|\w+::(Proxy|CAInfo|Verify-))/i;
  const lines = dump.split('\n').filter((line) => wanted.test(line));
  return lines.map((line) => `${line}\n`).join('');
}
