import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { helpFor } from './help.ts';

const SETTINGS = readFileSync(join(import.meta.dirname, '../docs/configuration.md'), 'utf8');

it('names settings that there are', () => {
  const { text = '', code } = helpFor(['--help']) ?? {};
  const names = [...text.matchAll(/\b[A-Z]+_[A-Z0-9_]+\b/g)].map(([name]) => name);

  expect(code).toBe(0);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(SETTINGS, name).toContain(`\`${name}\``);
});

it.each(['--help', '-h'])('comes for %s', (argument) => {
  expect(helpFor([argument])?.text).toContain('MODEL_PATH');
});

it('refuses other arguments', () => {
  expect(helpFor([])).toBeUndefined();
  expect(helpFor(['serve'])).toEqual({ text: expect.stringContaining('was given "serve"') as string, code: 1 });
});
