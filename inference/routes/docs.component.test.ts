// The description keeps its word: every route is in it, its examples are accepted, and what comes back is as described.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Reply, Rig } from '../../test/support/inference-rig.ts';

type Json = Readonly<Record<string, unknown>>;
interface Content {
  readonly schema: Json;
  readonly example?: unknown;
}
interface Described {
  readonly parameters?: readonly { readonly name: string; readonly example?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Content>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

const TABLE = new URL(
  '../../test/fixtures/estimators/Pipeline+ColumnTransformer+LogisticRegression/1.9.1.joblib',
  import.meta.url,
).pathname;

/** The schema with what it refers to in its place. */
function inlined(value: unknown, schemas: Document['components']['schemas']): unknown {
  if (Array.isArray(value)) return value.map((item) => inlined(item, schemas));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) return inlined(schemas[String(value.$ref).replace('#/components/schemas/', '')], schemas);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inlined(inner, schemas)]));
}

/** What is wrong with a value by a schema of the document. */
function problemsOf(value: unknown, schema: Json, { components }: Document): unknown {
  const checked = z.fromJSONSchema(inlined(schema, components.schemas) as Parameters<typeof z.fromJSONSchema>[0]);
  return checked.safeParse(value).error?.issues ?? [];
}

/** Type and schema of an answer; what is not described matches nothing. */
function onlyContent({ responses }: Described, status: number): readonly [type: string, content: Content] {
  const [content] = Object.entries(responses[status]?.content ?? {});
  return content ?? ['none', { schema: { not: {} } }];
}

interface Call {
  readonly call: string;
  readonly described: Described;
  readonly send: (body?: unknown) => Promise<Reply>;
}

function callsOf(server: Rig, { paths }: Document): Call[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const values = new Map(described.parameters?.map(({ name, example }) => [name, example ?? 'none']));
      const url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values.get(name) ?? ''));
      const send = (body?: unknown) => (method === 'get' ? server.get(url) : server.post(url, body ?? {}));
      return { call: `${method.toUpperCase()} ${path}`, described, send };
    }),
  );
}

describe.each([
  ['a basket', { MODEL_PATH: fixturePath('basket-blue'), ALLOW_PUBLIC_RELOAD: 'true' }],
  ['a nameless table', { MODEL_PATH: fixturePath('iris-pickle', 'model.pkl'), MODEL_DEPLOYMENT: 'iris/1' }],
  ['a table with texts', { MODEL_PATH: TABLE, MODEL_DEPLOYMENT: 'churn' }],
])('the description of a server with %s', (_, env) => {
  let server: Rig;
  let document: Document;
  let calls: Call[];

  beforeAll(async () => {
    server = await startInference(env);
    document = (await server.get('/openapi.json')).json as Document;
    calls = callsOf(server, document);
  });
  afterAll(() => server.stop());

  it('names model and version', async () => {
    const { version } = (await server.get('/model/info')).json as { version: string };

    expect(document).toMatchObject({ openapi: '3.1.0', info: { version } });
    expect(calls.length).toBeGreaterThan(18);
  });

  it('gives examples that the server takes, and describes what it answers', async () => {
    for (const { call, described, send } of calls) {
      const body = described.requestBody?.content['application/json'];
      if (body !== undefined) expect([call, problemsOf(body.example, body.schema, document)]).toEqual([call, []]);
      const { status, headers, json, text } = await send(body?.example);
      const [type, content] = onlyContent(described, 200);

      expect([call, status, headers.get('content-type')?.split(';')[0]]).toEqual([call, 200, type]);
      const value = type === 'application/json' ? json : text;
      expect([call, problemsOf(value, content.schema, document)]).toEqual([call, []]);
      // A description that fits everything says nothing.
      if ('$ref' in content.schema) expect([call, problemsOf({}, content.schema, document)]).not.toEqual([call, []]);
    }
  });

  it('describes how problems are told', async () => {
    const broken = calls.filter(({ described }) => described.requestBody !== undefined);
    for (const { call, described, send } of broken) {
      const { status, json } = await send('{');
      const [, { schema }] = onlyContent(described, status);

      expect([call, status]).toEqual([call, call === 'POST /predict' ? 422 : 400]);
      expect([call, problemsOf(json, schema, document)]).toEqual([call, []]);
    }
  });
});

describe('without a model', () => {
  it('the description is there, without features and examples', async () => {
    const server = await startInference({ MODEL_PATH: '/nowhere.tar.gz' }, { waitForLoad: false });
    const document = (await server.get('/openapi.json')).json as Document;

    expect(document.info).toMatchObject({
      version: 'none',
      description: expect.stringContaining('No model') as string,
    });
    for (const { call, described, send } of callsOf(server, document)) {
      const { status, json } = await send({ basket_items: {}, instances: [], inputs: [] });
      const [type, { schema }] = onlyContent(described, status);
      expect([call, problemsOf(type === 'application/json' ? json : '', schema, document)]).toEqual([call, []]);
    }
    await server.stop();
  });
});

it('no route is without a description, whoever adds it', async () => {
  const server = await startInference({ MODEL_PATH: fixturePath('basket-blue'), ALLOW_PUBLIC_RELOAD: 'true' });
  const { text } = await server.get('/openapi.json');

  expect(text).toContain('"/model/reload"');
  expect(text).not.toContain('No description');
  await server.stop();
});

it('nobody is told to ask a model about baskets that knows nothing of them', async () => {
  const server = await startInference({ MODEL_PATH: fixturePath('wine-strings') });

  expect((await server.get('/openapi.json')).text).not.toContain('"/predict"');
  await server.stop();
});

it('the page shows it, and loads nothing from elsewhere', async () => {
  const server = await startInference({ MODEL_PATH: fixturePath('iris-sk132') });
  const { headers, text } = await server.get('/docs');

  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/,
  );
  expect(text).toContain("fetch('openapi.json')");
  expect(text).not.toMatch(/https?:|src=|@import|url\(/);
  await server.stop();
});
