import { describe, expect, it } from 'vitest';
import { etagOf, isSameEtag, isStrongEtag } from './etag.ts';
import { authorizationOf, objectUrl } from './http-object.ts';

describe('the address of an object', () => {
  it.each([
    ['https://files.example', 'models', 'a.tar.gz', 'https://files.example/models/a.tar.gz'],
    ['https://files.example/', 'models', 'a.tar.gz', 'https://files.example/models/a.tar.gz'],
    [
      'http://files:8080/store//',
      'models',
      'retail/blue/m.joblib',
      'http://files:8080/store/models/retail/blue/m.joblib',
    ],
    ['https://files.example/x', 'models', 'a b/c?d#e%2f', 'https://files.example/x/models/a%20b/c%3Fd%23e%252f'],
    [
      'https://files.example/x',
      'models',
      'modèle/零售',
      'https://files.example/x/models/mod%C3%A8le/%E9%9B%B6%E5%94%AE',
    ],
    ['https://files.example/x', 'models', '%2e%2e/secret', 'https://files.example/x/models/%252e%252e/secret'],
    ['https://files.example/x', 'models', 'a\\..\\b', 'https://files.example/x/models/a%5C..%5Cb'],
    ['https://files.example/x', 'models', '/evil.example/a', 'https://files.example/x/models//evil.example/a'],
    ['https://files.example/x', 'a/b', 'http://evil.example', 'https://files.example/x/a%2Fb/http%3A//evil.example'],
  ])('%s %s %s', (base, bucket, key, expected) => {
    expect(objectUrl(base, bucket, key)?.href).toBe(expected);
  });

  it.each([
    ['models', '../secret'],
    ['models', 'a/../../secret'],
    ['models', './a'],
    ['..', 'a'],
    ['', 'a'],
    ['models', 'half a letter \ud800'],
  ])('does not exist for %s and %j', (bucket, key) => {
    expect(objectUrl('https://files.example/x', bucket, key)).toBeUndefined();
  });
});

describe('the version that an answer names', () => {
  const modified = 'Thu, 01 Jan 2026 00:00:00 GMT';

  it('is the ETag as it stands, else time and size', () => {
    expect(etagOf({ etag: 'W/"a"', 'last-modified': modified }, 7)).toBe('W/"a"');
    expect(etagOf({ 'last-modified': modified }, 7)).toBe(`${modified}, 7 bytes`);
    expect(etagOf({ 'last-modified': modified }, undefined)).toBe(modified);
    expect(etagOf({}, 7)).toBeUndefined();
  });

  it('fits into a status, whatever the server sends', () => {
    expect(etagOf({ etag: `"${'x'.repeat(5000)}"`, 'last-modified': modified }, 7)).toBe(`${modified}, 7 bytes`);
    expect(etagOf({ 'last-modified': 'x'.repeat(5000) }, 7)).toBeUndefined();
  });

  it('is the same whether an ETag is weak or not', () => {
    expect(isSameEtag('W/"a"', '"a"')).toBe(true);
    expect(isSameEtag('"a"', '"b"')).toBe(false);
    expect(['"a"', 'W/"a"', 'a', modified].filter(isStrongEtag)).toEqual(['"a"']);
  });
});

it('the login is a token, else a name and a password', () => {
  expect(authorizationOf({})).toBeUndefined();
  expect(authorizationOf({ token: 't', username: 'u' })).toBe('Bearer t');
  expect(authorizationOf({ username: 'u', password: 'pä:ss' })).toBe(`Basic ${btoa('u:p\xc3\xa4:ss')}`);
  expect(authorizationOf({ username: 'u' })).toBe(`Basic ${btoa('u:')}`);
});
