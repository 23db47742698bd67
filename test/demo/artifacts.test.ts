import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { asVersion, readArtifact } from './artifacts.ts';

it('changes the version of an artifact and nothing else', async () => {
  const artifact = await readArtifact('basket-blue-2');
  const renamed = await asVersion(artifact, 'blue-9');
  const [before, after] = [artifact, renamed].map(({ bytes }) => gunzipSync(bytes).toString('latin1'));

  expect(renamed.version).toBe('blue-9');
  expect(renamed.sha256).not.toBe(artifact.sha256);
  expect(after).toContain('"version":"blue-9"');
  expect(await asVersion(renamed, 'blue-2').then(({ bytes }) => bytes.length)).toBeGreaterThan(1000);
  // The model is the first entry: its bytes begin after one header.
  expect(after?.slice(512, 512 + 100_000)).toBe(before?.slice(512, 512 + 100_000));
});
