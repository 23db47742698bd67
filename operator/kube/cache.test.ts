import { describe, expect, it } from 'vitest';
import type { Change } from './cache.ts';
import { Cache } from './cache.ts';
import type { StoredObject } from './objects.ts';

interface Overrides {
  readonly uid?: string;
  readonly owner?: string;
  readonly app?: string;
}

function anObject(name: string, version: string, { uid = `uid-${name}`, owner, app }: Overrides = {}): StoredObject {
  const ownerReferences = owner === undefined ? [] : [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: owner }];
  const labels = app === undefined ? {} : { app };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'ml', name, uid, resourceVersion: version, ownerReferences, labels },
  };
}

function aCache(): { cache: Cache<string>; changes: Change<string>[] } {
  const changes: Change<string>[] = [];
  const cache = new Cache({
    project: ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`,
    onChange: (change) => changes.push(change),
    indexBy: ({ metadata }) => (metadata.labels?.['app'] === undefined ? [] : [metadata.labels['app']]),
  });
  return { cache, changes };
}

const synced = (resourceVersion: string, ...objects: StoredObject[]) => ({
  kind: 'synced' as const,
  objects,
  resourceVersion,
});
const changed = (object: StoredObject) => ({ kind: 'changed' as const, object });
const deleted = (object: StoredObject) => ({ kind: 'deleted' as const, object });

describe('a snapshot', () => {
  it('makes the cache synced and is the whole truth', async () => {
    const { cache, changes } = aCache();
    expect(cache.isSynced).toBe(false);
    cache.take(synced('5', anObject('a', '1'), anObject('b', '2')));
    await cache.synced;
    cache.take(synced('9', anObject('b', '2'), anObject('c', '8')));
    expect(cache.values()).toEqual(['b@2', 'c@8']);
    expect(changes).toEqual([
      { namespace: 'ml', name: 'a', after: 'a@1' },
      { namespace: 'ml', name: 'b', after: 'b@2' },
      { namespace: 'ml', name: 'c', after: 'c@8' },
      { namespace: 'ml', name: 'a', before: 'a@1' },
    ]);
  });

  it('tells of an object that was replaced by another one of the same name', () => {
    const { cache, changes } = aCache();
    cache.take(synced('5', anObject('a', '1', { uid: 'old' })));
    cache.take(synced('9', anObject('a', '7', { uid: 'new' })));
    expect(changes.at(-1)).toEqual({ namespace: 'ml', name: 'a', before: 'a@1', after: 'a@7' });
  });
});

describe('changes', () => {
  it('come in order, and late ones are passed over', () => {
    const { cache } = aCache();
    cache.take(synced('5'));
    cache.take(changed(anObject('a', '10')));
    cache.take(changed(anObject('a', '9')));
    expect(cache.get('ml', 'a')).toBe('a@10');
    cache.take(deleted(anObject('a', '11')));
    expect(cache.get('ml', 'a')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('a late delete does not take the successor of the same name away', () => {
    const { cache } = aCache();
    cache.take(changed(anObject('a', '10', { uid: 'new' })));
    cache.take(deleted(anObject('a', '9', { uid: 'old' })));
    expect(cache.get('ml', 'a')).toBe('a@10');
  });

  it('versions that are no numbers: the later word counts', () => {
    const { cache } = aCache();
    cache.take(changed(anObject('a', 'x9')));
    cache.take(changed(anObject('a', 'x10')));
    expect(cache.get('ml', 'a')).toBe('a@x10');
  });
});

describe('our own writes', () => {
  it('are seen at once, and told of once', () => {
    const { cache, changes } = aCache();
    cache.take(synced('5', anObject('a', '1')));
    cache.put(anObject('a', '6'));
    expect(cache.get('ml', 'a')).toBe('a@6');
    cache.take(changed(anObject('a', '6')));
    expect(changes).toHaveLength(2);
  });

  it('are not undone by what the watch still tells of before them', () => {
    const { cache } = aCache();
    cache.take(synced('5', anObject('a', '1')));
    cache.put(anObject('a', '10'));
    cache.put(anObject('new', '11'));
    cache.take(changed(anObject('a', '8')));
    cache.take(synced('9', anObject('a', '8')));
    expect(cache.values()).toEqual(['a@10', 'new@11']);
  });

  it('do not bring back what was deleted since', () => {
    const { cache } = aCache();
    cache.take(synced('5', anObject('a', '1')));
    cache.take(deleted(anObject('a', '7')));
    cache.put(anObject('a', '6'));
    expect(cache.size).toBe(0);
  });
});

describe('indexes', () => {
  it('follow the objects', () => {
    const { cache } = aCache();
    cache.take(
      synced('5', anObject('a', '1', { owner: 'o1', app: 'x' }), anObject('b', '2', { owner: 'o1', app: 'y' })),
    );
    expect(cache.byOwner('o1')).toEqual(['a@1', 'b@2']);
    expect(cache.byIndex('x')).toEqual(['a@1']);
    cache.take(changed(anObject('a', '6', { owner: 'o2', app: 'y' })));
    expect(cache.byOwner('o1')).toEqual(['b@2']);
    expect(cache.byOwner('o2')).toEqual(['a@6']);
    expect(cache.byIndex('x')).toEqual([]);
    expect([...cache.byIndex('y')].sort()).toEqual(['a@6', 'b@2']);
    cache.take(deleted(anObject('b', '7')));
    expect(cache.byOwner('o1')).toEqual([]);
  });
});

it('leaves out an object that the projection cannot read, and drops what it held of it', () => {
  const bad: string[] = [];
  const cache = new Cache({
    project: ({ metadata }) => {
      if (metadata.resourceVersion === '6') throw new Error('unreadable');
      return metadata.name;
    },
    onBadObject: (error, { metadata }) => bad.push(`${metadata.name}: ${String(error)}`),
  });
  cache.take(synced('5', anObject('a', '1'), anObject('b', '2')));
  cache.take(changed(anObject('a', '6')));
  expect(cache.values()).toEqual(['b']);
  expect(bad).toEqual(['a: Error: unreadable']);
});

it('knows cluster-scoped objects by their name alone', () => {
  const { cache } = aCache();
  cache.take(changed({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', uid: 'u', resourceVersion: '1' } }));
  expect(cache.get(undefined, 'a')).toBe('a@1');
});
