import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { effectiveRuntime, revisionHash, runtimeHash, type RevisionInputs } from './revision.ts';

function inputs(overrides: Partial<RevisionInputs> = {}): RevisionInputs {
  return {
    variant: 'blue',
    source: { store: 'aws', bucket: 'models', region: 'us-east-1' },
    runtime: { env: [{ name: 'A', value: '1' }] },
    artifact: { store: 'aws', bucket: 'models', key: 'retail/model.tar.gz', versionId: 'v1', etag: '"e"' },
    ...overrides,
  };
}

const artifact = inputs().artifact;
const source = inputs().source;

describe('revisionHash', () => {
  it('is eight hex digits, and never changes for the same input: pods would be replaced by an upgrade', () => {
    expect(revisionHash(inputs())).toBe('bbaf87f2');
    expect(runtimeHash(inputs())).toBe('978469b5');
  });

  it.each([
    ['another variant', { variant: 'green' }],
    ['another version', { artifact: { ...artifact, versionId: 'v2' } }],
    ['another key', { artifact: { ...artifact, key: 'other' } }],
    ['another image', { runtime: { image: 'example.com/server:2' } }],
    ['another bucket', { source: { ...source, bucket: 'b' } }],
    ['another store', { source: { ...source, store: 'minio' } }],
    ['another Secret', { source: { ...source, credentials: 's3-read' } }],
    ['a corrected pin', { sha256: 'a'.repeat(64) }],
  ])('differs for %s', (_what, overrides) => {
    expect(revisionHash(inputs(overrides))).not.toBe(revisionHash(inputs()));
  });

  it('does not depend on the order of fields, nor on what only describes the object', () => {
    const reordered = { source: { region: 'us-east-1', bucket: 'models', store: 'aws', credentials: undefined } };
    const described = {
      artifact: { ...artifact, size: 5, lastModified: '2026-01-02T03:04:05Z', sha256: 'b'.repeat(64) },
    };

    expect(revisionHash(inputs(reordered))).toBe(revisionHash(inputs()));
    expect(revisionHash(inputs(described))).toBe(revisionHash(inputs()));
  });
});

describe('runtimeHash', () => {
  it('is the same for every artifact: an upload, another key or a pin reloads in place', () => {
    const other = inputs({ artifact: { ...artifact, key: 'other', versionId: 'v9' }, sha256: 'a'.repeat(64) });

    expect(runtimeHash(other)).toBe(runtimeHash(inputs()));
  });

  it('differs for whatever is in the pod template', () => {
    expect(runtimeHash(inputs({ runtime: {} }))).not.toBe(runtimeHash(inputs()));
    expect(runtimeHash(inputs({ source: { ...source, credentials: 's3-read' } }))).not.toBe(runtimeHash(inputs()));
  });
});

describe('effectiveRuntime', () => {
  it("lets each field of a variant replace the resource's as a whole", () => {
    const runtime = { image: 'a:1', env: [{ name: 'A', value: '1' }], nodeSelector: { zone: 'a' } };

    const effective = effectiveRuntime({ runtime }, { runtime: { image: 'b:2', env: [] } });

    expect(effective).toEqual({ image: 'b:2', env: [], nodeSelector: { zone: 'a' } });
  });

  it("is the resource's own where a variant says nothing", () => {
    expect(effectiveRuntime({ runtime: { image: 'a:1' } }, {})).toEqual({ image: 'a:1' });
  });
});

it('canonical JSON sorts keys at every depth and keeps the order of lists', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }, 1], a: undefined })).toBe('{"b":[{"c":2,"d":1},1]}');
});
