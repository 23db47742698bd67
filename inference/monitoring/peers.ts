// Who gets shadow copies: a fixed list of the environment, or a file that is read again as it changes, so that a new shadow restarts no pod.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ShadowPeers } from '../contract.ts';
import type { ShadowPeer } from '../contract.ts';
import { codeOf } from '../errors.ts';

export interface PeersFile {
  readonly path: string;
  readonly everyMs: number;
  readonly log: Logger;
}

/** Tells `use` of the peers in the file, now and whenever they change, until the signal. No file: no peers. An unusable file changes nothing. */
export async function followPeers(
  { path, everyMs, log }: PeersFile,
  use: (peers: readonly ShadowPeer[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let seen: string | undefined;
  do {
    const content = await contentOf(path, log);
    if (content !== undefined && content !== seen) {
      seen = content;
      const peers = peersOf(content, path, log);
      if (peers !== undefined) use(peers);
    }
  } while (await pause(everyMs, signal));
}

const NOBODY = '{"peers":[]}';

/** Without a file that of nobody. undefined: it cannot be read now. */
async function contentOf(path: string, log: Logger): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return NOBODY;
    log.warn({ path, detail: codeOf(error) }, 'the shadow peers cannot be read');
    return undefined;
  }
}

function peersOf(content: string, path: string, log: Logger): readonly ShadowPeer[] | undefined {
  try {
    return ShadowPeers.parse(JSON.parse(content)).peers;
  } catch (error) {
    log.warn(
      { path, detail: error instanceof Error ? error.message : String(error) },
      'the shadow peers are not usable',
    );
    return undefined;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}
