// A minimal Debian as a tar file, from the mirror that this machine's apt uses.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';
import { DEBIAN_RELEASE } from './config.ts';
import { unmountBelow } from './mounts.ts';

const TIMEOUT_MS = 10 * 60_000;

/** Writes the tree to `archive`. Needs root, since it makes device files and changes its root. */
export async function bootstrapDebian(archive: string, signal?: AbortSignal): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-debian-'));
  try {
    const mirror = await findMirror();
    const options = { timeoutMs: TIMEOUT_MS, signal };
    // Node is linked with libstdc++, which the minimal Debian has not.
    const args = [
      '--variant=minbase',
      '--include=libstdc++6',
      DEBIAN_RELEASE,
      dir,
      ...(mirror === undefined ? [] : [mirror]),
    ];
    await run('debootstrap', args, options);
    if (mirror !== undefined)
      await writeFile(join(dir, 'etc/apt/sources.list'), `deb ${mirror} ${DEBIAN_RELEASE} main\n`);
    await pack(dir, archive, options);
  } finally {
    // debootstrap mounts /proc there, and leaves it when it is killed.
    await unmountBelow(dir);
    await rm(dir, { recursive: true, force: true });
  }
}

const UNNEEDED = ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];
const VIRTUAL = ['dev', 'proc', 'sys'];

/** The tree as a tar file, without what an image has no use for. */
async function pack(
  dir: string,
  archive: string,
  options: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  for (const folder of UNNEEDED) await run('find', [join(dir, folder), '-type', 'f', '-delete']);
  const excluded = VIRTUAL.map((folder) => `--exclude=./${folder}/*`);
  await run('tar', ['--create', '--file', archive, '--directory', dir, ...excluded, '.'], options);
}

/** undefined: debootstrap knows a mirror of its own. */
async function findMirror(): Promise<string | undefined> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(RELEASE) $(SITE)']).catch(() => '');
  return chooseMirror(targets);
}

/** The site of the release itself among lines of `RELEASE SITE`: its updates and its security fixes live elsewhere. */
export function chooseMirror(targets: string): string | undefined {
  const lines = targets.split('\n').map((line) => line.split(' '));
  return lines.find(([release]) => release === DEBIAN_RELEASE)?.[1];
}
