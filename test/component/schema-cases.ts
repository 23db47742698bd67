// The table of schema.api.ts: manifests that the API server takes, and those that it refuses with the text that a user sees.
import { blue, type Change } from '../support/a-manifest.ts';
import { acceptedRollouts, refusedRollouts } from './schema-rollout-cases.ts';
import { acceptedServers, refusedServers } from './schema-server-cases.ts';

export type Accepted = readonly [what: string, change: Change];
export type Refused = readonly [what: string, change: Change, message: string];

const variants = (count: number) => Array.from({ length: count }, (_, i) => ({ ...blue, name: `v${i}` }));
const key = 'spec.variants.0.model.key';
const model = 'spec.variants.0.model';
const sha256 = 'a'.repeat(64);

const durations = ['1s', '90s', '1h30m', '24h', '1500ms'];
const keys = [
  'm',
  'a b+c=d/model.tar.gz',
  'a..b/...',
  'modèle/零售/🌱.joblib',
  'x'.repeat(1024),
  'é'.repeat(512),
  "'quoted'\"",
];

export const accepted: readonly Accepted[] = [
  ['the smallest manifest', {}],
  ['a name of 40 characters', { 'metadata.name': `a${'b'.repeat(39)}` }],
  ['a variant name of 20 characters', { 'spec.variants.0.name': `a${'-b'.repeat(9)}c` }],
  ['eight variants', { 'spec.variants': variants(8) }],
  ['one variant at rest beside one with traffic', { 'spec.variants': [blue, { ...blue, name: 'green', weight: 0 }] }],
  ['the largest weight', { 'spec.variants.0.weight': 1000 }],
  ['no replicas', { 'spec.replicas': 0 }],
  ['a thousand replicas', { 'spec.replicas': 1000 }],
  ['replicas of a variant', { 'spec.variants.0.replicas': 1 }],
  ...keys.map((value): Accepted => [`key ${value.slice(0, 24)}`, { [key]: value }]),
  ['both pins', { [model]: { key: 'm', versionId: 'null', sha256 } }],
  ...durations.map((value): Accepted => [`pollInterval ${value}`, { 'spec.source.pollInterval': value }]),
  [
    'all of source.s3',
    {
      'spec.source.s3': {
        bucket: 'my.models-1',
        region: 'eu-central-1',
        store: 'minio',
        credentialsSecretRef: { name: 's3-read' },
      },
    },
  ],
  [
    'all of runtime',
    {
      'spec.runtime': {
        image: 'registry.example.com:5000/team/server@sha256:abc',
        resources: { requests: { cpu: '0.5', memory: '1Gi' }, limits: { 'nvidia.com/gpu': 1, memory: '2Gi' } },
        env: [
          { name: 'A', value: '' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
          { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
          { name: 'D', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        serviceAccountName: 'model-reader',
        nodeSelector: { 'kubernetes.io/arch': 'arm64' },
        tolerations: [{ operator: 'Exists' }, { key: 'gpu', value: 'a', effect: 'NoExecute', tolerationSeconds: 30 }],
        imagePullPolicy: 'Always',
        imagePullSecrets: [{ name: 'registry' }],
        runAsUser: 1000,
      },
    },
  ],
  ['a runtime of a variant', { 'spec.variants.0.runtime': { image: 'other:2' } }],
  ...['Auto', 'Service', 'HAProxy'].map((value): Accepted => [`router ${value}`, { 'spec.traffic.router': value }]),
  ['sticky by cookie', { 'spec.traffic.sticky': { cookie: 'session_id' } }],
  ['sticky by address', { 'spec.traffic.sticky': { clientAddress: {} } }],
  ['an overrideHeader', { 'spec.traffic.overrideHeader': 'X-Model-Variant' }],
  [
    'settings of the service',
    { 'spec.traffic.service': { type: 'LoadBalancer', port: 8080, annotations: { 'a.io/b': 'c' } } },
  ],
  ['suspend', { 'spec.suspend': true }],
  ...acceptedServers,
  ...acceptedRollouts,
];

const NAME = "name must be lower-case letters, digits and single '-', starting with a letter";
const VARIANT = "a variant's name must be lower-case letters, digits and single '-', starting with a letter";
const POLL = 'pollInterval must be a duration from 1s to 24h, such as 30s, 5m or 1h30m';
const STICKY = 'sticky takes exactly one of header, cookie, clientAddress';
const STORE = "store must be the name of an object store in the operator's configuration, not a URL";
const ROUTER =
  'router: Service cannot divide traffic; use Auto or HAProxy for several variants, sticky or overrideHeader';
const two = [blue, { ...blue, name: 'green' }];

const metadata: readonly Refused[] = [
  ['a name of 41 characters', { 'metadata.name': 'a'.repeat(41) }, 'Too long: may not be more than 40 bytes'],
  ['a name with a dot', { 'metadata.name': 'a.b' }, NAME],
  ['a name with --', { 'metadata.name': 'a--b' }, NAME],
  ['a name that starts with a digit', { 'metadata.name': '1a' }, NAME],
  ['no spec', { spec: undefined }, 'spec: Required value'],
  ['an unknown field', { 'spec.variant': 1 }, 'strict decoding error: unknown field "spec.variant"'],
  ['a misspelt field', { 'spec.variants.0.wieght': 1 }, 'unknown field "spec.variants[0].wieght"'],
];

const variantRules: readonly Refused[] = [
  ['no variants', { 'spec.variants': undefined }, 'spec.variants: Required value'],
  ['an empty list of variants', { 'spec.variants': [] }, 'spec.variants in body should have at least 1 items'],
  ['nine variants', { 'spec.variants': variants(9) }, 'spec.variants: Too many: 9: must have at most 8 items'],
  ['two variants of one name', { 'spec.variants': [blue, blue] }, 'Duplicate value: {"name":"blue"}'],
  ['a variant name of 21', { 'spec.variants.0.name': 'a'.repeat(21) }, 'may not be more than 20 bytes'],
  ['a variant name with capitals', { 'spec.variants.0.name': 'Blue' }, VARIANT],
  ['a variant name with --', { 'spec.variants.0.name': 'a--b' }, VARIANT],
  ['a variant without a name', { 'spec.variants.0.name': undefined }, 'spec.variants[0].name: Required value'],
  ['a variant without a weight', { 'spec.variants.0.weight': undefined }, 'spec.variants[0].weight: Required value'],
  ['a variant without a model', { [model]: undefined }, 'spec.variants[0].model: Required value'],
  [
    'all weights zero',
    { 'spec.variants.0.weight': 0 },
    'spec.variants: Invalid value: at least one variant needs a positive weight',
  ],
  [
    'a weight over 1000',
    { 'spec.variants.0.weight': 1001 },
    'spec.variants[0].weight in body should be less than or equal to 1000',
  ],
  ['a negative weight', { 'spec.variants.0.weight': -1 }, 'should be greater than or equal to 0'],
  [
    'a fraction as weight',
    { 'spec.variants.0.weight': 0.5 },
    'spec.variants[0].weight in body must be of type int32: "float64"',
  ],
  ['too many replicas', { 'spec.replicas': 1001 }, 'spec.replicas in body should be less than or equal to 1000'],
  ['replicas as text', { 'spec.replicas': '2' }, 'spec.replicas in body must be of type integer: "string"'],
];

const modelRules: readonly Refused[] = [
  ['an empty key', { [key]: '' }, 'spec.variants[0].model.key in body should be at least 1 chars long'],
  [
    'a key with / first',
    { [key]: '/m' },
    "spec.variants[0].model.key: Invalid value: key must name an object, without '/' at the start or the end",
  ],
  ['a folder', { [key]: 'retail/' }, "key must name an object, without '/' at the start or the end"],
  ['a key that climbs', { [key]: 'a/../b' }, "key must not contain a '.' or '..' segment"],
  ['a key that ends in ..', { [key]: 'a/..' }, "key must not contain a '.' or '..' segment"],
  ['a key with a dot segment', { [key]: './m' }, "key must not contain a '.' or '..' segment"],
  ['a key with a newline', { [key]: 'a\nb' }, 'key must not contain control characters'],
  ['a key with NUL', { [key]: 'a\u0000b' }, 'key must not contain control characters'],
  ['a key with ESC', { [key]: 'a\u001b[31m' }, 'key must not contain control characters'],
  ['a key with DEL', { [key]: 'a\u007f' }, 'key must not contain control characters'],
  ['a key with a C1 control', { [key]: 'a\u0085' }, 'key must not contain control characters'],
  ['a key of 1025 characters', { [key]: 'x'.repeat(1025) }, 'may not be more than 1024 bytes'],
  ['a key of 1026 bytes', { [key]: 'é'.repeat(513) }, 'key must be at most 1024 bytes of UTF-8, the limit of S3'],
  ['a short sha256', { [`${model}.sha256`]: 'abc' }, 'sha256 must be 64 lower-case hexadecimal digits'],
  ['sha256 in capitals', { [`${model}.sha256`]: 'A'.repeat(64) }, 'sha256 must be 64 lower-case hexadecimal digits'],
  ['an empty versionId', { [`${model}.versionId`]: '' }, 'should be at least 1 chars long'],
];

const sourceRules: readonly Refused[] = [
  ...['0s', '999ms', '25h', '24h1ms', '30', '1.5s', '-5s', 'soon', '', '99999h99999h'].map((value): Refused => [
    `pollInterval ${JSON.stringify(value)}`,
    { 'spec.source.pollInterval': value },
    POLL,
  ]),
  ['pollInterval as a number', { 'spec.source.pollInterval': 30 }, 'must be of type string: "integer"'],
  ['a bucket in capitals', { 'spec.source.s3.bucket': 'Models' }, 'bucket must be the name of an S3 bucket'],
  ['a bucket as a URL', { 'spec.source.s3.bucket': 's3://models' }, 'bucket must be the name of an S3 bucket'],
  ['a region with spaces', { 'spec.source.s3.region': 'eu central' }, 'region must be the name of a region'],
  ['a store as a URL', { 'spec.source.s3.store': 'http://169.254.169.254' }, STORE],
  ['an endpoint', { 'spec.source.s3.endpoint': 'http://x' }, 'unknown field "spec.source.s3.endpoint"'],
  [
    'a Secret of another namespace',
    { 'spec.source.s3.credentialsSecretRef': { name: 'a', namespace: 'b' } },
    'unknown field "spec.source.s3.credentialsSecretRef.namespace"',
  ],
  [
    'a Secret by path',
    { 'spec.source.s3.credentialsSecretRef': { name: '../x' } },
    "name must be the name of an object: lower-case letters, digits, '-' and '.'",
  ],
];

const runtimeRules: readonly Refused[] = [
  ['an image with a space', { 'spec.runtime.image': 'a b' }, 'image must be an image reference'],
  ['root', { 'spec.runtime.runAsUser': 0 }, 'spec.runtime.runAsUser in body should be greater than or equal to 1'],
  [
    'a quantity in GB',
    { 'spec.runtime.resources': { limits: { memory: '4GB' } } },
    'spec.runtime.resources.limits.memory in body should match',
  ],
  ['a negative quantity', { 'spec.runtime.resources': { limits: { cpu: -1 } } }, 'spec.runtime.resources.limits.cpu'],
  [
    'a fraction as a bare quantity',
    { 'spec.runtime.resources': { limits: { cpu: 0.5 } } },
    'must be of type integer,string: "number"',
  ],
  ['env that starts with a digit', { 'spec.runtime.env': [{ name: '1A' }] }, 'env name must be letters'],
  ['env without a name', { 'spec.runtime.env': [{ value: 'x' }] }, 'spec.runtime.env[0].name: Required value'],
  ['env twice', { 'spec.runtime.env': [{ name: 'A' }, { name: 'A' }] }, 'Duplicate value: {"name":"A"}'],
  [
    'env of the operator',
    { 'spec.runtime.env': [{ name: 'ADMIN_TOKEN', value: 'x' }] },
    'env must not set ADMIN_PORT, ADMIN_TOKEN,',
  ],
  [
    'env with two values',
    { 'spec.runtime.env': [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'a' } } }] },
    'env takes value or valueFrom, not both',
  ],
  [
    'env from nowhere',
    { 'spec.runtime.env': [{ name: 'A', valueFrom: {} }] },
    'valueFrom takes exactly one of secretKeyRef, configMapKeyRef, fieldRef',
  ],
  ['a toleration without key', { 'spec.runtime.tolerations': [{}] }, 'a toleration without key needs operator: Exists'],
  [
    'a toleration of any value',
    { 'spec.runtime.tolerations': [{ operator: 'Exists', key: 'a', value: 'b' }] },
    'a toleration with operator: Exists takes no value',
  ],
  [
    'a toleration for some time',
    { 'spec.runtime.tolerations': [{ key: 'a', tolerationSeconds: 1 }] },
    'tolerationSeconds needs effect: NoExecute',
  ],
  [
    'an unknown pull policy',
    { 'spec.runtime.imagePullPolicy': 'Sometimes' },
    'supported values: "Always", "IfNotPresent", "Never"',
  ],
  ['the host network', { 'spec.runtime.hostNetwork': true }, 'unknown field "spec.runtime.hostNetwork"'],
];

const trafficRules: readonly Refused[] = [
  [
    'router: Service with two variants',
    { 'spec.traffic.router': 'Service', 'spec.variants': two },
    `spec.traffic.router: Invalid value: ${ROUTER}`,
  ],
  ['router: Service with sticky', { 'spec.traffic': { router: 'Service', sticky: { header: 'a' } } }, ROUTER],
  ['router: Service with an override', { 'spec.traffic': { router: 'Service', overrideHeader: 'a' } }, ROUTER],
  ['an unknown router', { 'spec.traffic.router': 'Istio' }, 'supported values: "Auto", "Service", "HAProxy"'],
  ['sticky by nothing', { 'spec.traffic.sticky': {} }, STICKY],
  ['sticky by two', { 'spec.traffic.sticky': { header: 'a', clientAddress: {} } }, STICKY],
  [
    'a sticky header with a space',
    { 'spec.traffic.sticky': { header: 'a b' } },
    'sticky.header must be the name of an HTTP header',
  ],
  [
    'a sticky cookie with ;',
    { 'spec.traffic.sticky': { cookie: 'a;b' } },
    'sticky.cookie must be the name of a cookie',
  ],
  [
    'a line break in overrideHeader',
    { 'spec.traffic.overrideHeader': 'a\nb' },
    'overrideHeader must be the name of an HTTP header',
  ],
  ['port 0', { 'spec.traffic.service.port': 0 }, 'should be greater than or equal to 1'],
  [
    'an unknown service type',
    { 'spec.traffic.service.type': 'ExternalName' },
    'supported values: "ClusterIP", "NodePort", "LoadBalancer"',
  ],
];

export const refused: readonly Refused[] = [
  ...metadata,
  ...variantRules,
  ...modelRules,
  ...sourceRules,
  ...runtimeRules,
  ...refusedServers,
  ...refusedRollouts,
  ...trafficRules,
];
