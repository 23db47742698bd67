// The environment that an image gives its program, read from the Dockerfile: what is measured is started as the image starts it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cluster/config.ts';

/** Of the last stage that sets one. */
export function imageEnv(dockerfile: string): Readonly<Record<string, string>> {
  const lines = readFileSync(join(projectRoot, dockerfile), 'utf8').split('\n');
  const settings = lines.findLast((line) => line.startsWith('ENV ')) ?? '';
  return Object.fromEntries([...settings.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}
