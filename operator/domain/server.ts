// How to get on with the server of another image: what the adapter beside it calls. Paths only, on loopback; never a URL.
import * as z from 'zod';
import { duration, int32, matching, rules } from './schema.ts';

const httpPath = (field: string) =>
  matching(
    256,
    /^\/[A-Za-z0-9._~:@!$&()*+,;=%/?-]*$/,
    `${field} must be a path such as /ready, with '/' at the start; no URL`,
    ["!self.startsWith('//')"],
  );
const fieldName = (field: string) =>
  matching(
    128,
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
    `${field} must be the name of a field, such as version or model.version`,
  );

const Reload = z.object({
  path: httpPath('reload.path').describe('What makes the server read its model file again, such as /model/reload.'),
  method: z.enum(['POST', 'PUT', 'GET']).default('POST').describe('HTTP method of that call.'),
  timeout: duration('reload.timeout', '1s', '1h')
    .default('60s')
    .describe('Longest time from that call until the server shows the new model, 1s to 1h.'),
  maxUnready: duration('reload.maxUnready', '0s', '10m')
    .default('1s')
    .describe(
      'How long the server may be without a model on the way there. Longer: the load has failed, and the previous file is put back. For servers that unload first.',
    ),
});

const Info = z.object({
  path: httpPath('info.path').describe('Where the server says in JSON which model it has, such as /model/info.'),
  versionField: fieldName('info.versionField')
    .default('version')
    .describe('Field with the version, compared with that of metadata.json where both are there.'),
  loadedField: fieldName('info.loadedField')
    .default('loaded_at')
    .describe('Field that changes with each load, such as its time.'),
});

/** Ports that the adapter has in the same pod. */
const TAKEN_PORTS = [8081, 8082];

export const Server = z.object({
  port: int32(1, 65535)
    .default(8080)
    .meta(
      rules({
        rule: `!(self in [${TAKEN_PORTS.join(', ')}])`,
        message: `server.port must not be ${TAKEN_PORTS.join(' or ')}: the adapter listens there`,
      }),
    )
    .describe('Port on which the server answers requests; it is told by the variable PORT.'),
  modelPath: matching(
    256,
    /^(\/[A-Za-z0-9._-]+){2,}$/,
    'server.modelPath must be the absolute path of a file in a folder of its own, such as /models/model.tar.gz',
    ["!self.split('/').exists(s, s == '.' || s == '..')", "!self.matches('^/tmp/[^/]+$')"],
  )
    .default('/var/lib/switchyard/model/model.tar.gz')
    .describe(
      'Where the server reads its model; it is told by the variable MODEL_PATH. A name that ends in .tar.gz or .tgz gets the archive as it is, any other name the model file out of it. The folder is a volume: nothing of the image is seen in it.',
    ),
  readyPath: httpPath('server.readyPath').default('/ready').describe('Answers 2xx when the server may get requests.'),
  livePath: httpPath('server.livePath')
    .default('/')
    .describe('Answers 2xx while the process is alive, with or without a model: it is restarted when this does not.'),
  reload: Reload.describe('How the server takes another model file while it runs.'),
  info: Info.optional().describe(
    'How the server says which model it has. Absent: it is believed when it accepts the reload call and is ready.',
  ),
  readModel: z
    .boolean()
    .default(false)
    .describe(
      'Read each model with our own reader first: what it cannot read, or what fails its golden rows, never reaches the server.',
    ),
});
export type Server = z.infer<typeof Server>;
