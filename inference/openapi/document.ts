// The public port as OpenAPI 3.1: the routes that this server has, with the features and examples of the model that it serves.
import type { ServedModel } from '../model/served.ts';
import { type Content, type Operation, operations } from './operations.ts';
import { ref, schemas } from './schemas.ts';

/** A route as the router has it, such as GET /v2/models/:name. */
export interface Route {
  readonly method: string;
  readonly url: string;
}

export interface DocumentOptions {
  readonly modelName: string;
  /** The loaded model; undefined before the first load. */
  readonly served: ServedModel | undefined;
}

const UNDESCRIBED: Operation = { tag: 'Service', summary: 'No description', answer: { schema: {} } };

const HEADERS = {
  'X-Model-Variant': { description: 'the variant that answered', schema: { type: 'string' } },
  'X-Model-Version': { description: 'the version that answered, "none" without a model', schema: { type: 'string' } },
  'X-Request-Id': { description: "the caller's, or a new one", schema: { type: 'string' } },
};

export function openApiDocument(routes: readonly Route[], { modelName, served }: DocumentOptions): object {
  const known = operations(served);
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, url } of routes) {
    const operation = known[`${method} ${url}`] ?? UNDESCRIBED;
    if (operation === 'omitted') continue;
    const path = operation.path ?? url.replace(/:(\w+)/g, '{$1}');
    const values: Readonly<Record<string, string | undefined>> = { name: modelName, version: served?.version };
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation, path, values) };
  }
  return {
    openapi: '3.1.0',
    info: { title: modelName, version: served?.version ?? 'none', description: descriptionOf(served) },
    paths,
    components: { schemas: schemas() },
  };
}

function descriptionOf(served: ServedModel | undefined): string {
  if (served === undefined) return 'Switchyard model server. No model is loaded yet.';
  const { modelType, features } = served.model;
  return `Switchyard model server with a ${modelType} of ${features} features.`;
}

function describe(operation: Operation, path: string, values: Readonly<Record<string, string | undefined>>): object {
  const { tag, summary, request, answer, problems = {}, flags = [] } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const value = values[name];
    return {
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
      ...(value !== undefined && { example: value }),
    };
  });
  const inQuery = flags.map((name) => ({ name, in: 'query', schema: { type: 'boolean', default: false } }));
  const parameters = [...inPath, ...inQuery];
  const refused = Object.entries(problems).map(
    ([status, schema]) =>
      [status, { description: REASONS[status] ?? 'Error', ...contentOf({ schema: ref(schema) }) }] as const,
  );
  return {
    tags: [tag],
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(request && { requestBody: { required: true, ...contentOf(request) } }),
    responses: { 200: { description: 'OK', headers: HEADERS, ...contentOf(answer) }, ...Object.fromEntries(refused) },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  400: 'The request cannot be read, or the model does not take it',
  404: 'Another model or version is served here',
  422: 'The body is not what is asked for',
  500: 'The prediction failed',
  501: 'There is no such call for this model',
  503: 'No model is loaded, or the server is leaving',
};

function contentOf({ type = 'application/json', schema, example }: Content): object {
  return { content: { [type]: { schema, ...(example !== undefined && { example }) } } };
}
