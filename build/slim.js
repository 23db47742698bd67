// What bundles do without: parts of libraries that are imported and never called, with inert stand-ins for them.
import { join } from 'node:path';

/** For each of some packages what they import in vain: module → what stands in its place. */
const STAND_INS = [
  {
    // Of client-node only the kubeconfig is used, over node:https, and of the shell's base class only start and stop. This leaves out 800 generated models,
    // two HTTP clients and a third of the memory.
    importer: /node_modules\/(@kubernetes|@dot-i|@grpc)\//,
    modules: {
      undici:
        'export class Agent { constructor() { throw new Error("undici is not in the bundle"); } }; export { Agent as ProxyAgent };',
      gaxios: 'export function request() { throw new Error("gaxios is not in the bundle"); }',
      // grpc-js describes itself with it, on a service that nobody adds; our own codec reads the messages.
      '@grpc/proto-loader': 'export function loadSync() { throw new Error("proto-loader is not in the bundle"); }',
      './gen/index.js': 'export class ServerConfiguration {}; export function createConfiguration() { return {}; }',
    },
  },
  {
    // No route of ours has a schema, no plugin a version, no port TLS: Fastify would load three copies of Ajv at the start, and 5 MiB of Node's own code.
    importer: /node_modules\/fastify\//,
    modules: unused(
      '@fastify/ajv-compiler',
      '@fastify/fast-json-stringify-compiler',
      'light-my-request',
      'semver',
      'node:https',
      'node:http2',
    ),
  },
  // Metrics are scraped, not pushed, and have no exemplars.
  { importer: /node_modules\/prom-client\//, modules: unused('./lib/pushgateway', '@opentelemetry/api') },
];

/** CommonJS modules whose function, and what that answers, may be asked for and not called. */
function unused(...names) {
  const standIn = (name) => `module.exports = () => () => { throw new Error("${name} is not in the bundle"); };`;
  return Object.fromEntries(names.map((name) => [name, standIn(name)]));
}

/** The plugin for a project in the folder `root`. */
export function slim(root) {
  return {
    name: 'slim',
    setup(context) {
      context.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
        path: join(root, 'operator/kube/client-node.ts'),
      }));
      for (const [at, { importer, modules }] of STAND_INS.entries()) {
        const namespace = `stand-in-${at}`;
        const filter = new RegExp(`^(${Object.keys(modules).map(RegExp.escape).join('|')})$`);
        context.onResolve({ filter }, (asked) =>
          importer.test(asked.importer) ? { path: asked.path, namespace } : undefined,
        );
        context.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: modules[path] }));
      }
    },
  };
}

/**
 * An ES module that imports node:http makes Node read every one of its exports, and three of them load a WebSocket client: 20 ms and 4 MiB for nothing.
 * As CommonJS it is only asked for what is used.
 */
export const lazyHttp = {
  name: 'lazy-http',
  setup(context) {
    context.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace: 'lazy' } : undefined,
    );
    context.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }));
  },
};
