import { describe, expect, it } from 'vitest';
import { Model, parseSpec, Rollout, Runtime, S3Source, Sticky, Variant } from './model-deployment.ts';

const aVariant = (overrides: object = {}) => ({ name: 'blue', weight: 1, model: { key: 'm.joblib' }, ...overrides });
const accepts = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('parseSpec', () => {
  it('sets every default', () => {
    expect(parseSpec({ spec: { variants: [aVariant()] } })).toEqual({
      source: { s3: { store: 'aws' }, pollInterval: '30s' },
      variants: [aVariant()],
      replicas: 2,
      runtime: {},
      rollout: {
        strategy: 'HotReload',
        hotReload: { maxConcurrent: '25%', soak: '0s', allowSchemaChange: false },
        progressDeadline: '10m',
      },
      traffic: { router: 'Auto', service: { type: 'ClusterIP', port: 80 } },
      suspend: false,
    });
  });

  it('keeps what is set beside a default', () => {
    const spec = parseSpec({ spec: { variants: [aVariant()], rollout: { hotReload: { soak: '5s' } } } });
    expect(spec.rollout.hotReload).toEqual({ maxConcurrent: '25%', soak: '5s', allowSchemaChange: false });
  });

  it('gives two resources defaults of their own', () => {
    const [a, b] = [parseSpec({ spec: { variants: [aVariant()] } }), parseSpec({ spec: { variants: [aVariant()] } })];
    expect(a.rollout).not.toBe(b.rollout);
  });

  it('drops unknown fields, as the API server does', () => {
    expect(parseSpec({ spec: { variants: [aVariant({ color: 'x' })], extra: 1 } })).not.toHaveProperty('extra');
  });

  it('refuses a spec without variants', () => {
    expect(() => parseSpec({})).toThrow(/variants/);
    expect(() => parseSpec({ spec: { variants: [] } })).toThrow(/variants/);
  });

  it('reads a bare number of a quantity as a string', () => {
    const runtime = Runtime.parse({ resources: { limits: { 'nvidia.com/gpu': 1, memory: '4Gi' } } });
    expect(runtime.resources?.limits).toEqual({ 'nvidia.com/gpu': '1', memory: '4Gi' });
  });
});

describe('limits', () => {
  it.each([
    ['1', true],
    ['9999', true],
    ['1%', true],
    ['100%', true],
    ['0', false],
    ['0%', false],
    ['101%', false],
    ['25 %', false],
    ['-1', false],
  ])('maxConcurrent %s: %s', (maxConcurrent, ok) => {
    expect(accepts(Rollout, { hotReload: { maxConcurrent } })).toBe(ok);
  });

  it.each([
    ['abc', true],
    ['my.bucket-1', true],
    ['ab', false],
    ['Models', false],
    ['http://evil', false],
    ['a'.repeat(64), false],
  ])('bucket %s: %s', (bucket, ok) => {
    expect(accepts(S3Source, { bucket })).toBe(ok);
  });

  it.each(['http://169.254.169.254', 'a/b', 'Minio', ''])('store is a name, never %s', (store) => {
    expect(accepts(S3Source, { store })).toBe(false);
  });

  it('counts characters as the API server does: an emoji is one', () => {
    expect(accepts(Model, { key: '🌱'.repeat(1024) })).toBe(true);
    expect(accepts(Model, { key: '🌱'.repeat(1025) })).toBe(false);
  });

  it.each([
    [{ cpu: '500m' }, true],
    [{ cpu: '0.5' }, true],
    [{ cpu: 2 }, true],
    [{ cpu: -1 }, false],
    [{ cpu: 0.5 }, false],
    [{ memory: '4GB' }, false],
  ])('resources %o: %s', (requests, ok) => {
    expect(accepts(Runtime, { resources: { requests } })).toBe(ok);
  });

  it('refuses root', () => {
    expect(accepts(Runtime, { runAsUser: 0 })).toBe(false);
  });

  it('names the field in the message of a wrong name', () => {
    expect(Variant.safeParse(aVariant({ name: 'Blue' })).error?.issues[0]?.message).toContain("variant's name");
    expect(Sticky.safeParse({ header: 'a b' }).error?.issues[0]?.message).toContain('sticky.header');
  });
});
