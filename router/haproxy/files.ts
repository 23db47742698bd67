// The files that HAProxy reads when it starts, kept up to date so that a restarted HAProxy begins where the last one ended.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Maps } from '../desired.ts';
import { configPath, mapPath, mapsOf, renderConfig } from './config.ts';
import type { RouterSettings, Server } from './config.ts';
import { mapText } from './maps.ts';

/** Writes files whole, by rename, and only when their text changed since the last write. */
export class StartFiles {
  readonly #written = new Map<string, string>();
  readonly #settings: RouterSettings;

  constructor(settings: RouterSettings) {
    this.#settings = settings;
  }

  /** Rejects with the error of the file system; what was not written is written the next time. */
  async write(servers: readonly Server[], maps: Maps, signal: AbortSignal): Promise<void> {
    const { directory } = this.#settings;
    for (const map of mapsOf(this.#settings)) {
      await this.#replace(mapPath(directory, map), mapText(maps[map]), signal);
    }
    await this.#replace(configPath(directory), renderConfig(this.#settings, servers), signal);
  }

  async #replace(path: string, text: string, signal: AbortSignal): Promise<void> {
    if (this.#written.get(path) === text) return;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, text, { signal });
    await rename(`${path}.new`, path);
    this.#written.set(path, text);
  }
}
