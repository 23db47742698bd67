import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellCommand } from './shell-words.ts';

it('leaves plain words as they are', () => {
  expect(shellCommand(['kubectl', 'get', 'mdep', '-n', 'ml', '--output=wide'])).toBe(
    'kubectl get mdep -n ml --output=wide',
  );
});

it('quotes what the shell would read more into', () => {
  expect(shellCommand(['-o', 'jsonpath={.status[?(@.type=="UpToDate")]}'])).toBe(
    `-o 'jsonpath={.status[?(@.type=="UpToDate")]}'`,
  );
});

it.each([['$HOME'], ["it's"], [''], ['a b'], ['*'], ['~'], ['a\nb'], ['`id`'], ['!x'], ['#'], ['ä;|&<>"\\']])(
  'a shell reads %j back',
  (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellCommand([word])}`], { encoding: 'utf8' })).toBe(word);
  },
);
