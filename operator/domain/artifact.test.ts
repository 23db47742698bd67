import { describe, expect, it } from 'vitest';
import {
  artifactFrom,
  fullObjectSha256,
  identityOf,
  isDurable,
  satisfiesPins,
  storedSha256,
  withPin,
} from './artifact.ts';

const PLACE = { store: 'aws', bucket: 'models', key: 'retail/model.tar.gz' };
const HEX = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const BASE64 = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='; // SHA-256 of "abc"

describe('identity', () => {
  it('is the VersionId where versioning is enabled', () => {
    const first = artifactFrom(PLACE, { versionId: 'v1', etag: '"e"' });
    const second = artifactFrom(PLACE, { versionId: 'v2', etag: '"e"' });

    expect(identityOf(first)).not.toBe(identityOf(second));
    expect(isDurable(first)).toBe(true);
  });

  it.each(['null', '', undefined])('is the ETag when the VersionId is %o', (versionId) => {
    const artifact = artifactFrom(PLACE, { versionId, etag: '"e"' });

    expect(identityOf(artifact)).toBe('etag:"e"');
    expect(artifact).not.toHaveProperty('versionId');
    expect(isDurable(artifact)).toBe(false);
  });

  it('falls back to time and size where a store gives neither', () => {
    const lastModified = new Date('2026-01-02T03:04:05Z');
    const identity = identityOf(artifactFrom(PLACE, { size: 7, lastModified }));

    expect(identity).toBe('object:2026-01-02T03:04:05.000Z:7');
  });
});

describe('SHA-256', () => {
  it.each([
    ['a checksum of the whole object', BASE64, undefined, HEX],
    ['one that is declared to be of the whole object', BASE64, 'FULL_OBJECT', HEX],
    ['the checksum of the checksums of 3 parts', `${BASE64}-3`, undefined, undefined],
    ['a composite one without its suffix', BASE64, 'COMPOSITE', undefined],
    ['something else', 'AAAA', undefined, undefined],
    ['nothing', undefined, undefined, undefined],
  ])('from %s', (_what, checksum, type, expected) => {
    expect(fullObjectSha256(checksum, type)).toBe(expected);
  });

  it('prefers what the store computed over what the uploader wrote', () => {
    expect(storedSha256({ checksumSha256: BASE64, metadataSha256: 'f'.repeat(64) })).toBe(HEX);
    expect(storedSha256({ checksumSha256: `${BASE64}-2`, metadataSha256: 'F'.repeat(64) })).toBe('f'.repeat(64));
    expect(storedSha256({ metadataSha256: 'not a hash' })).toBeUndefined();
  });

  it('is the pin of the user where there is one', () => {
    const artifact = artifactFrom(PLACE, { etag: '"e"', checksumSha256: BASE64 });

    expect(withPin(artifact, { sha256: 'a'.repeat(64) }).sha256).toBe('a'.repeat(64));
    expect(withPin(artifact, {})).toBe(artifact);
  });
});

it.each([
  ['no pin', {}, false],
  ['the version', { versionId: 'v1' }, true],
  ['another version', { versionId: 'v2' }, false],
  ['the hash', { sha256: HEX }, true],
  ['another hash', { sha256: 'a'.repeat(64) }, false],
  ['the version and another hash', { versionId: 'v1', sha256: 'a'.repeat(64) }, false],
])('satisfies %s: %o → %o', (_what, pins, expected) => {
  expect(satisfiesPins({ versionId: 'v1', sha256: HEX }, pins)).toBe(expected);
});
