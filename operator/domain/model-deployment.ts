// The spec of a ModelDeployment: the single source of its TypeScript types, its CRD, its defaults and its limits.
// What the schema accepts has an effect; what is not built is not in it. Rules across fields are CEL (`x-kubernetes-validations`).
import { z } from 'zod';

export const GROUP = 'switchyard.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'ModelDeployment';
export const PLURAL = 'modeldeployments';

const rule = (expression: string, message: string) => ({ rule: expression, message });
const rules = (...list: { rule: string; message: string }[]) => ({ 'x-kubernetes-validations': list });

const int32 = z.int().min(-2147483648).max(2147483647);
const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DURATION = /^([0-9]{1,6}(h|m|s|ms))+$/;
const duration = () => z.string().max(32).regex(DURATION);
const secretName = z.string().min(1).max(253);
const header = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9-]+$/);

export const S3Source = z.object({
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
    .optional()
    .describe("S3 bucket of the models. Default: the operator's MODEL_BUCKET."),
  region: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]+$/)
    .optional()
    .describe("Region of the bucket. Default: the operator's AWS_REGION."),
  store: z
    .string()
    .max(63)
    .regex(LABEL)
    .default('aws')
    .describe("Name of an object store in the operator's configuration; never a URL."),
  credentialsSecretRef: z
    .object({ name: secretName })
    .optional()
    .describe(
      "Secret of the same namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Absent: the pod's own identity.",
    ),
});

export const Source = z.object({
  s3: S3Source.default({ store: 'aws' }),
  pollInterval: duration()
    .default('30s')
    .describe('How often the store is asked for a new version of the keys, 1s to 24h.')
    .meta(
      rules(
        rule(
          "duration(self) >= duration('1s') && duration(self) <= duration('24h')",
          'pollInterval must be between 1s and 24h',
        ),
      ),
    ),
});

export const Model = z
  .object({
    key: z.string().min(1).max(1024).describe('S3 key of model.tar.gz or of a bare model file.'),
    versionId: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('Serve exactly this object version; stops automatic updates.'),
    sha256: z
      .string()
      .max(64)
      .optional()
      .describe('Required SHA-256 of the object in hex; stops automatic updates.')
      .meta(rules(rule("self.matches('^[0-9a-f]{64}$')", 'sha256 must be 64 lower-case hexadecimal digits'))),
  })
  .meta(
    rules(
      rule("!self.key.startsWith('/')", "key must not start with '/'"),
      rule("!self.key.split('/').exists(s, s == '..')", "key must not contain a '..' segment"),
      rule("!self.key.matches('[\\\\x00-\\\\x1f\\\\x7f]')", 'key must not contain control characters'),
      rule('size(bytes(self.key)) <= 1024', 'key must be at most 1024 bytes of UTF-8'),
    ),
  );

const quantity = z
  .string()
  .max(32)
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/);
const quantities = z.record(z.string().max(63), quantity);
const labels = z.record(z.string().max(317), z.string().max(63));

const EnvVar = z.object({
  name: z.string().min(1).max(253),
  value: z.string().max(4096).optional(),
  valueFrom: z
    .object({
      secretKeyRef: z
        .object({ name: z.string().min(1).max(253), key: z.string().min(1).max(253), optional: z.boolean().optional() })
        .optional(),
      configMapKeyRef: z
        .object({ name: z.string().min(1).max(253), key: z.string().min(1).max(253), optional: z.boolean().optional() })
        .optional(),
      fieldRef: z.object({ fieldPath: z.string().min(1).max(253) }).optional(),
    })
    .optional(),
});

const Toleration = z.object({
  key: z.string().max(317).optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().max(63).optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().min(0).max(2147483647).optional(),
});

export const Runtime = z.object({
  image: z.string().min(1).max(512).optional().describe("Container image. Default: the operator's inference image."),
  resources: z.object({ requests: quantities.optional(), limits: quantities.optional() }).optional(),
  env: z
    .array(EnvVar)
    .max(64)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  serviceAccountName: z.string().min(1).max(253).optional(),
  nodeSelector: labels.optional(),
  tolerations: z.array(Toleration).max(32).optional().meta({ 'x-kubernetes-list-type': 'atomic' }),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecrets: z
    .array(z.object({ name: secretName }))
    .max(8)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  runAsUser: z.int().min(1).max(2147483647).optional().describe('Numeric user of the container; never root.'),
});

const replicas = () => int32.min(0).max(1000);

export const Variant = z.object({
  name: z
    .string()
    .max(20)
    .regex(LABEL)
    .meta(rules(rule("!self.contains('--')", "a variant's name must not contain '--'"))),
  weight: int32.min(0).max(1000).describe('Relative share of the traffic: weight / sum of all weights.'),
  replicas: replicas().optional().describe('Default: spec.replicas.'),
  model: Model,
  runtime: Runtime.optional().describe("Overrides the resource's runtime, field by field."),
});

export const Sticky = z
  .object({
    header: header().optional(),
    cookie: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9_-]+$/)
      .optional(),
    clientAddress: z.object({}).optional(),
  })
  .meta(
    rules(
      rule(
        '(has(self.header) ? 1 : 0) + (has(self.cookie) ? 1 : 0) + (has(self.clientAddress) ? 1 : 0) == 1',
        'sticky takes exactly one of header, cookie, clientAddress',
      ),
    ),
  );

const ServiceSettings = z.object({
  type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP'),
  port: z.int().min(1).max(65535).default(80),
  annotations: z.record(z.string().max(317), z.string().max(4096)).optional(),
});

export const Traffic = z.object({
  router: z
    .enum(['Auto', 'Service', 'HAProxy'])
    .default('Auto')
    .describe('Auto: HAProxy when the spec can divide traffic, else a plain Service.'),
  service: ServiceSettings.default({ type: 'ClusterIP', port: 80 }),
  sticky: Sticky.optional().describe('What keeps a client on one variant. Absent: random for each request.'),
  overrideHeader: header()
    .optional()
    .describe('Whoever sends this header with the name of a variant gets that variant. Absent: off.'),
});

const HotReload = z.object({
  maxConcurrent: z
    .string()
    .max(8)
    .regex(/^([1-9][0-9]{0,3}|[1-9][0-9]?%|100%)$/)
    .default('25%')
    .describe('Pods that reload at the same time after the first: a number or a percentage of the replicas.'),
  soak: duration().default('0s').describe('Wait after each wave.'),
});

export const Rollout = z.object({
  strategy: z.enum(['HotReload']).default('HotReload').describe('How a variant takes a new artifact version.'),
  hotReload: HotReload.default({ maxConcurrent: '25%', soak: '0s' }),
  progressDeadline: duration().default('10m').describe('A rollout that takes longer is reported as Stalled.'),
});

export const Spec = z
  .object({
    source: Source.default({ s3: { store: 'aws' }, pollInterval: '30s' }),
    variants: z
      .array(Variant)
      .min(1)
      .max(8)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    replicas: replicas().default(2),
    runtime: Runtime.default({}),
    rollout: Rollout.default({
      strategy: 'HotReload',
      hotReload: { maxConcurrent: '25%', soak: '0s' },
      progressDeadline: '10m',
    }),
    traffic: Traffic.default({ router: 'Auto', service: { type: 'ClusterIP', port: 80 } }),
    suspend: z
      .boolean()
      .default(false)
      .describe('Freezes rollouts and following of the artifact; children are still healed.'),
  })
  .meta(
    rules(
      rule('self.variants.exists(v, v.weight > 0)', 'at least one variant needs a positive weight'),
      rule(
        "!has(self.traffic) || self.traffic.router != 'Service' || (size(self.variants) == 1 && !has(self.traffic.sticky) && !has(self.traffic.overrideHeader))",
        'router: Service cannot divide traffic: use Auto or HAProxy for several variants, sticky or overrideHeader',
      ),
    ),
  );

export type Spec = z.infer<typeof Spec>;
export type Variant = z.infer<typeof Variant>;
export type Runtime = z.infer<typeof Runtime>;
export type Source = z.infer<typeof Source>;
export type Traffic = z.infer<typeof Traffic>;
