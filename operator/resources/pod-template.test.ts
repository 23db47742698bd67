import { describe, expect, it } from 'vitest';
import type { Runtime } from '../domain/model-deployment.ts';
import { buildPodTemplate, type PodTemplateInput } from './pod-template.ts';

interface Template {
  metadata: { labels: Record<string, string> };
  spec: Record<string, unknown> & {
    containers: (Record<string, unknown> & {
      env: { name: string; value?: string; valueFrom?: unknown }[];
      securityContext: Record<string, unknown>;
      volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
    })[];
    securityContext: Record<string, unknown>;
    volumes: { name: string; configMap?: { name: string } }[];
  };
}

function template(overrides: Partial<PodTemplateInput> = {}): Template {
  const input: PodTemplateInput = {
    modelDeployment: 'retail',
    variant: 'blue',
    image: 'switchyard/inference:1',
    inferenceImage: 'switchyard/inference:1',
    runtime: {},
    store: { endpoint: 'http://minio:9000', forcePathStyle: true },
    bucket: 'models',
    region: 'us-east-1',
    ...overrides,
  };
  return JSON.parse(JSON.stringify(buildPodTemplate(input))) as Template;
}

function environment(overrides: Partial<PodTemplateInput> = {}): Record<string, unknown> {
  const { env } = container(overrides);
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
}

function container(overrides: Partial<PodTemplateInput> = {}) {
  const [only] = template(overrides).spec.containers;
  if (only === undefined) throw new Error('no container');
  return only;
}

const withRuntime = (runtime: Runtime) => ({ runtime });

describe('the environment of a model pod', () => {
  it('says where the artifact and the store are', () => {
    expect(environment()).toEqual({
      MODEL_DEPLOYMENT: 'retail',
      VARIANT: 'blue',
      DESIRED_ARTIFACT_FILE: '/etc/switchyard/artifact.json',
      ARTIFACT_DIR: '/var/lib/switchyard/artifacts',
      MODEL_BUCKET: 'models',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      S3_FORCE_PATH_STYLE: 'true',
      ADMIN_TOKEN: { secretKeyRef: { name: 'retail--admin', key: 'token' } },
    });
  });

  it('has no credentials of its own where the pod has an identity', () => {
    expect(Object.keys(environment())).not.toContain('AWS_ACCESS_KEY_ID');
  });

  it('takes credentials from the Secret, the session token only where there is one', () => {
    expect(environment({ credentialsSecret: 's3-read' })).toMatchObject({
      AWS_ACCESS_KEY_ID: { secretKeyRef: { name: 's3-read', key: 'AWS_ACCESS_KEY_ID' } },
      AWS_SECRET_ACCESS_KEY: { secretKeyRef: { name: 's3-read', key: 'AWS_SECRET_ACCESS_KEY' } },
      AWS_SESSION_TOKEN: { secretKeyRef: { name: 's3-read', key: 'AWS_SESSION_TOKEN', optional: true } },
    });
  });

  it('names a web server as a store, and takes what the Secret has of a token, or of a name and password', () => {
    const store = { kind: 'http', url: 'https://files.example/models' } as const;
    const optional = (key: string) => ({ secretKeyRef: { name: 'files-read', key, optional: true } });

    expect(environment({ store, credentialsSecret: 'files-read' })).toEqual({
      MODEL_DEPLOYMENT: 'retail',
      VARIANT: 'blue',
      DESIRED_ARTIFACT_FILE: '/etc/switchyard/artifact.json',
      ARTIFACT_DIR: '/var/lib/switchyard/artifacts',
      MODEL_BUCKET: 'models',
      MODEL_STORE_URL: 'https://files.example/models',
      MODEL_STORE_TOKEN: optional('MODEL_STORE_TOKEN'),
      MODEL_STORE_USERNAME: optional('MODEL_STORE_USERNAME'),
      MODEL_STORE_PASSWORD: optional('MODEL_STORE_PASSWORD'),
      ADMIN_TOKEN: { secretKeyRef: { name: 'retail--admin', key: 'token' } },
    });
  });

  it('lets the user replace a setting, but not what ties the pod to the operator', () => {
    const env = [
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'ADMIN_TOKEN', value: 'mine' },
      { name: 'PORT', value: '9999' },
      { name: 'LOG_LEVEL', value: 'debug' },
    ];

    const { env: all } = container(withRuntime({ env }));
    const names = all.map(({ name }) => name);

    expect(environment(withRuntime({ env }))).toMatchObject({
      AWS_REGION: 'eu-west-1',
      LOG_LEVEL: 'debug',
      ADMIN_TOKEN: { secretKeyRef: {} },
    });
    expect(names).not.toContain('PORT');
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the pod', () => {
  it('passes the restricted Pod Security Standard', () => {
    const { spec } = template();

    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('never gets a token for the API server, also with a ServiceAccount', () => {
    const { spec } = template(withRuntime({ serviceAccountName: 'models' }));

    expect(spec).toMatchObject({ automountServiceAccountToken: false, serviceAccountName: 'models' });
  });

  it('can write its artifacts and /tmp, and only read the promoted artifact', () => {
    const { volumeMounts } = container();

    expect(volumeMounts).toEqual([
      { name: 'artifact', mountPath: '/etc/switchyard', readOnly: true },
      { name: 'artifacts', mountPath: '/var/lib/switchyard/artifacts' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(template().spec.volumes[0]).toEqual({ name: 'artifact', configMap: { name: 'retail--blue-artifact' } });
  });

  it('is restarted only when its process does not answer, never for its model', () => {
    expect(container()).toMatchObject({
      startupProbe: { httpGet: { path: '/live', port: 'http' } },
      livenessProbe: { httpGet: { path: '/live', port: 'http' } },
      readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
    });
  });

  it('waits for the endpoints before it stops, and has time left to finish', () => {
    expect(container()['lifecycle']).toEqual({ preStop: { sleep: { seconds: 5 } } });
    expect(template().spec['terminationGracePeriodSeconds']).toBe(45);
  });

  it('takes what the user says about placement, resources and image', () => {
    const runtime: Runtime = {
      resources: { limits: { memory: '1Gi' } },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      imagePullPolicy: 'Always',
      imagePullSecrets: [{ name: 'registry' }],
      runAsUser: 1000,
    };

    const { spec } = template(withRuntime(runtime));

    expect(spec).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      imagePullSecrets: [{ name: 'registry' }],
      securityContext: { runAsUser: 1000 },
      containers: [{ resources: { limits: { memory: '1Gi' } }, imagePullPolicy: 'Always' }],
    });
  });

  it('holds nothing that changes with the artifact, and nothing that was not asked for', () => {
    expect(template()).toEqual(template());
    const { spec } = template();
    for (const field of ['serviceAccountName', 'nodeSelector', 'tolerations', 'imagePullSecrets']) {
      expect(spec).not.toHaveProperty(field);
    }
  });
});
