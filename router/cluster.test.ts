import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeApiServer } from '../test/support/fake-api-server.ts';
import { FakeClock, until } from '../test/support/fake-clock.ts';
import { followCluster, parseTable } from './cluster.ts';
import type { RouterTable } from './contract.ts';
import type { Endpoints } from './endpoints.ts';

const TABLE: RouterTable = {
  generation: 1,
  slots: [{ slot: 0, variant: 'blue', service: 'retail--blue' }],
  ranges: [{ from: 0, to: 9_999, slot: 0 }],
};

function configMap(table: unknown = TABLE, name = 'retail--router') {
  const text = typeof table === 'string' ? table : JSON.stringify(table);
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ml', name }, data: { 'table.json': text } };
}

function slice(
  uids: readonly string[],
  labels: Record<string, string> = { 'switchyard.dev/model-deployment': 'retail' },
) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'ml',
      name: 'retail--blue-1',
      labels: { 'kubernetes.io/service-name': 'retail--blue', ...labels },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: uids.map((uid, n) => ({
      addresses: [`10.0.0.${n + 1}`],
      conditions: { ready: true },
      targetRef: { uid },
    })),
  };
}

const COLLECTIONS = {
  ConfigMap: '/api/v1/namespaces/ml/configmaps',
  EndpointSlice: '/apis/discovery.k8s.io/v1/namespaces/ml/endpointslices',
};

function put({ store }: FakeApiServer, object: ReturnType<typeof configMap> | ReturnType<typeof slice>): void {
  const collection = COLLECTIONS[object.kind as keyof typeof COLLECTIONS];
  const path = `${collection}/${object.metadata.name}`;
  if (store.has(path)) store.replace(path, object);
  else store.create(collection, object);
}

function following(api: FakeApiServer) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const tables: RouterTable[] = [];
  const endpoints: Endpoints[] = [];
  const news = {
    setTable: (table: RouterTable) => void tables.push(table),
    setEndpoints: (now: Endpoints) => void endpoints.push(now),
  };
  const deps = { client: api.client(clock), clock, log: pino({ level: 'silent' }), random: () => 0.5 };
  const done = followCluster(
    { ...deps, namespace: 'ml', modelDeployment: 'retail', configMap: 'retail--router' },
    news,
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await done;
    await api.stop();
  });
  const uids = () =>
    endpoints
      .at(-1)
      ?.get('retail--blue')
      ?.map(({ uid }) => uid);
  return { tables, endpoints, uids, clock };
}

describe('followCluster', () => {
  it('tells of the table and the endpoints, and of their changes', async () => {
    const api = await FakeApiServer.start();
    put(api, configMap());
    put(api, slice(['a']));
    const { tables, uids } = following(api);
    await until(() => tables.length === 1 && uids()?.length === 1);

    put(api, configMap({ ...TABLE, generation: 2 }));
    put(api, slice(['a', 'b']));

    await until(() => tables.at(-1)?.generation === 2 && uids()?.length === 2);
    expect(uids()).toEqual(['a', 'b']);
  });

  it('asks for one ConfigMap by name, as its Role demands, and only for slices of its own resource', async () => {
    const api = await FakeApiServer.start();
    put(api, configMap());
    const { tables, endpoints } = following(api);
    await until(() => tables.length === 1 && endpoints.length === 1);

    const queries = (plural: string, key: string) =>
      api.requests.filter(({ path }) => path.endsWith(plural)).map(({ query }) => query.get(key));
    expect(new Set(queries('configmaps', 'fieldSelector'))).toEqual(new Set(['metadata.name=retail--router']));
    expect(new Set(queries('endpointslices', 'labelSelector'))).toEqual(
      new Set(['switchyard.dev/model-deployment=retail']),
    );
    expect(api.unexpected).toEqual([]);
  });

  it('keeps the table when its ConfigMap is deleted or damaged', async () => {
    const api = await FakeApiServer.start();
    put(api, configMap());
    const { tables } = following(api);
    await until(() => tables.length === 1);

    put(api, configMap('{"generation":'));
    put(api, configMap({ ...TABLE, generation: 3 }));

    await until(() => tables.length === 2);
    expect(tables.map(({ generation }) => generation)).toEqual([1, 3]);
  });
});

describe('parseTable', () => {
  const parse = (table: unknown) =>
    parseTable({ ...configMap(table), metadata: { name: 'x', uid: 'u', resourceVersion: '1' } });

  it('takes a table that covers every bucket', () => {
    expect(parse(TABLE)).toEqual(TABLE);
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown field', { ...TABLE, more: 1 }],
    [
      'a gap',
      {
        ...TABLE,
        ranges: [
          { from: 0, to: 10, slot: 0 },
          { from: 12, to: 9_999, slot: 0 },
        ],
      },
    ],
    [
      'an overlap',
      {
        ...TABLE,
        ranges: [
          { from: 0, to: 10, slot: 0 },
          { from: 10, to: 9_999, slot: 0 },
        ],
      },
    ],
    ['an early end', { ...TABLE, ranges: [{ from: 0, to: 9_998, slot: 0 }] }],
    ['a slot that is not in the table', { ...TABLE, ranges: [{ from: 0, to: 9_999, slot: 4 }] }],
    ['a slot twice', { ...TABLE, slots: [...TABLE.slots, ...TABLE.slots] }],
  ])('refuses %s', (_what, table) => {
    expect(parse(table)).toBeUndefined();
  });
});
