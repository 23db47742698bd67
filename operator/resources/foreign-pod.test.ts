import { describe, expect, it } from 'vitest';
import type { Runtime } from '../domain/model-deployment.ts';
import { Server } from '../domain/server.ts';
import { buildPodTemplate, type PodTemplateInput } from './pod-template.ts';

interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly [field: string]: unknown;
}

interface Template {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly initContainers: readonly [Container]; readonly containers: readonly [Container] } & Record<
    string,
    unknown
  >;
}

const PYTHON_SERVICE = { reload: { path: '/model/reload' }, info: { path: '/model/info' } };

function template(server: object = PYTHON_SERVICE, runtime: Runtime = {}): Template {
  const input: PodTemplateInput = {
    modelDeployment: 'retail',
    variant: 'blue',
    image: 'team/retail-api:3',
    inferenceImage: 'switchyard/inference:1',
    runtime: { ...runtime, server: Server.parse(server) },
    store: { endpoint: 'http://minio:9000', forcePathStyle: true },
    bucket: 'models',
    region: 'us-east-1',
    credentialsSecret: 's3-read',
  };
  return JSON.parse(JSON.stringify(buildPodTemplate(input))) as Template;
}

const valuesOf = ({ env }: Container) =>
  Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
const namesOf = ({ env }: Container) => env.map(({ name }) => name);

describe('the adapter beside another image', () => {
  const {
    spec: {
      initContainers: [adapter],
    },
  } = template();

  it('is a sidecar of the operator’s own image, which has its file in place before the server starts', () => {
    expect(adapter).toMatchObject({
      name: 'adapter',
      image: 'switchyard/inference:1',
      restartPolicy: 'Always',
      startupProbe: { httpGet: { path: '/started', port: 8082 }, failureThreshold: 86_400 },
      readinessProbe: { httpGet: { path: '/ready', port: 8082 } },
      livenessProbe: { httpGet: { path: '/live', port: 8082 } },
    });
  });

  it('knows the server by its defaults, which are those of the Python service', () => {
    expect(valuesOf(adapter)).toMatchObject({
      ADAPTER: 'true',
      ADAPTER_PORT: '8080',
      ADAPTER_MODEL_PATH: '/var/lib/switchyard/model/model.tar.gz',
      ADAPTER_READY: '/ready',
      ADAPTER_RELOAD: 'POST /model/reload',
      ADAPTER_RELOAD_SECONDS: '60',
      ADAPTER_UNREADY_SECONDS: '1',
      ADAPTER_INFO: '/model/info',
      ADAPTER_VERSION_FIELD: 'version',
      ADAPTER_LOADED_FIELD: 'loaded_at',
      DESIRED_ARTIFACT_FILE: '/etc/switchyard/artifact.json',
      AWS_REGION: 'us-east-1',
    });
    expect(namesOf(adapter)).toEqual(expect.arrayContaining(['ADMIN_TOKEN', 'AWS_SECRET_ACCESS_KEY']));
    expect(namesOf(adapter)).not.toContain('ADAPTER_READ_MODEL');
  });

  it('is told of a server with other ways', () => {
    const { spec } = template({
      port: 9090,
      modelPath: '/models/forest/model.joblib',
      readyPath: '/v2/models/forest/ready',
      livePath: '/v2/health/live',
      reload: { path: '/v2/repository/models/forest/load', timeout: '5m', maxUnready: '1500ms' },
      readModel: true,
    });
    const values = valuesOf(spec.initContainers[0]);

    expect(values).toMatchObject({
      ADAPTER_PORT: '9090',
      ADAPTER_MODEL_PATH: '/var/lib/switchyard/model/model.joblib',
      ADAPTER_RELOAD: 'POST /v2/repository/models/forest/load',
      ADAPTER_RELOAD_SECONDS: '300',
      ADAPTER_UNREADY_SECONDS: '1.5',
      ADAPTER_INFO: 'none',
      ADAPTER_READ_MODEL: 'true',
    });
    expect(values).not.toHaveProperty('ADAPTER_VERSION_FIELD');
  });
});

describe('the server of another image', () => {
  const {
    spec: {
      containers: [server],
    },
  } = template();

  it('is told where its model is and on which port to listen, and gets no store, no credentials and no token', () => {
    expect(valuesOf(server)).toEqual({
      MODEL_DEPLOYMENT: 'retail',
      VARIANT: 'blue',
      MODEL_PATH: '/var/lib/switchyard/model/model.tar.gz',
      PORT: '8080',
    });
    expect(server.env.filter(({ valueFrom }) => valueFrom !== undefined)).toEqual([]);
    expect(template().metadata.annotations).toEqual({ 'eks.amazonaws.com/skip-containers': 'model' });
  });

  it('takes the settings of the runtime', () => {
    const runtime: Runtime = {
      resources: { limits: { memory: '4Gi' } },
      env: [{ name: 'LOG_LEVEL', value: 'DEBUG' }],
      imagePullPolicy: 'Always',
      runAsUser: 1000,
    };
    const { spec } = template(PYTHON_SERVICE, runtime);

    expect(spec.containers[0]).toMatchObject({
      image: 'team/retail-api:3',
      imagePullPolicy: 'Always',
      resources: { limits: { memory: '4Gi' } },
    });
    expect(valuesOf(spec.containers[0])).toMatchObject({ LOG_LEVEL: 'DEBUG' });
    expect(namesOf(spec.initContainers[0])).not.toContain('LOG_LEVEL');
    expect(spec['securityContext']).toMatchObject({ runAsUser: 1000 });
  });

  it('may only read the model file, which is written by the adapter', () => {
    const { spec } = template({ modelPath: '/models/forest/model.joblib', ...PYTHON_SERVICE });

    expect(spec.containers[0]['volumeMounts']).toEqual([
      { name: 'model', mountPath: '/models/forest', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(spec.initContainers[0]['volumeMounts']).toEqual([
      { name: 'artifact', mountPath: '/etc/switchyard', readOnly: true },
      { name: 'artifacts', mountPath: '/var/lib/switchyard/artifacts' },
      { name: 'model', mountPath: '/var/lib/switchyard/model' },
    ]);
    expect(spec['volumes']).toContainEqual({ name: 'model', emptyDir: { sizeLimit: '8Gi' } });
  });

  it('has both ports, so that Services find them by name, and probes of its own', () => {
    const { spec } = template({ ...PYTHON_SERVICE, port: 9090, livePath: '/alive' });

    expect(spec.containers[0]).toMatchObject({
      ports: [
        { name: 'http', containerPort: 9090 },
        { name: 'admin', containerPort: 8081 },
      ],
      startupProbe: { httpGet: { path: '/alive', port: 'http' } },
      livenessProbe: { httpGet: { path: '/alive', port: 'http' } },
      readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    });
  });

  it('passes the restricted Pod Security Standard, as the adapter does', () => {
    const { spec } = template();

    for (const { securityContext } of [...spec.initContainers, ...spec.containers]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});
