// The licences of what is in a bundle.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Name, version, licence and licence text of every package that the given files, relative to `root`, belong to. */
export function notices(root, inputs) {
  const packages = new Set(inputs.map(packageOf).filter((dir) => dir !== undefined));
  const texts = [...packages].sort().map((dir) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, dir)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(root, dir, file), 'utf8').trim()}`;
    return `${name} ${version} (${license ?? 'see text'})${text}`;
  });
  return `This program contains the following packages.\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** Folder of the package, relative to the root: the last node_modules of the path counts, and a scope has two parts. */
function packageOf(input) {
  const [, inside, name] = /^(.*node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
  return name === undefined ? undefined : join(inside, name);
}
