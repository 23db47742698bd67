// The part of the table in schema-cases.ts that is about the server of another image.
import type { Accepted, Refused } from './schema-cases.ts';

const server = { reload: { path: '/model/reload' } };
const foreign = (change: object) => ({ 'spec.runtime': { image: 'other:2', server: { ...server, ...change } } });

export const acceptedServers: readonly Accepted[] = [
  ['the server of another image', foreign({})],
  [
    'a server in one place, its image in the other',
    { 'spec.runtime': { server }, 'spec.variants.0.runtime': { image: 'other:2' } },
  ],
  [
    'all of a server',
    foreign({
      port: 9090,
      modelPath: '/models/forest/model.joblib',
      readyPath: '/v2/models/forest/ready?x=1',
      livePath: '/v2/health/live',
      reload: { path: '/load', method: 'PUT', timeout: '1h', maxUnready: '0s' },
      info: { path: '/info', versionField: 'model.version', loadedField: 'model.at' },
      readModel: true,
    }),
  ],
  ['a model file below /tmp', foreign({ modelPath: '/tmp/model/model.tar.gz' })],
];

const MODEL_PATH = 'server.modelPath must be the absolute path of a file in a folder of its own';
const IMAGE = 'server describes another image: it needs runtime.image';
const path = (field: string) => `${field} must be a path such as /ready, with '/' at the start; no URL`;

export const refusedServers: readonly Refused[] = [
  ['a server without an image', { 'spec.runtime.server': server }, IMAGE],
  ['a server of a variant without an image', { 'spec.variants.0.runtime': { server } }, IMAGE],
  ['a server without a reload call', foreign({ reload: undefined }), 'spec.runtime.server.reload: Required value'],
  ['a reload call to elsewhere', foreign({ reload: { path: 'http://169.254.169.254/' } }), path('reload.path')],
  ['a reload path that names a host', foreign({ reload: { path: '//elsewhere/x' } }), path('reload.path')],
  ['a path with a line break', foreign({ readyPath: '/ready\r\nx: y' }), path('server.readyPath')],
  ['a path with a space', foreign({ livePath: '/li ve' }), path('server.livePath')],
  [
    'an unknown method',
    foreign({ reload: { path: '/x', method: 'DELETE' } }),
    'supported values: "POST", "PUT", "GET"',
  ],
  ['a port of the adapter', foreign({ port: 8081 }), 'server.port must not be 8081 or 8082: the adapter listens there'],
  ['a relative model path', foreign({ modelPath: 'model/model.tar.gz' }), MODEL_PATH],
  ['a model in the root', foreign({ modelPath: '/model.tar.gz' }), MODEL_PATH],
  ['a model directly in /tmp', foreign({ modelPath: '/tmp/model.tar.gz' }), MODEL_PATH],
  ['a model path that climbs', foreign({ modelPath: '/models/../etc/passwd' }), MODEL_PATH],
  ['a folder as the model path', foreign({ modelPath: '/models/' }), MODEL_PATH],
  [
    'a reload that may take a day',
    foreign({ reload: { path: '/x', timeout: '24h' } }),
    'reload.timeout must be a duration from 1s to 1h',
  ],
  [
    'a field that is an expression',
    foreign({ info: { path: '/info', versionField: '$.version' } }),
    'info.versionField must be the name of a field',
  ],
];
