// The spec of a ModelDeployment: the single source of its TypeScript types, its CRD, its defaults and its limits.
// What the schema accepts has an effect; what is not built is not in it. Rules across fields are CEL (`x-kubernetes-validations`).
import * as z from 'zod';
import { Runtime } from './runtime.ts';
import { atomicMap, duration, int32, mapByName, matching, objectName, rules, stringMap, text } from './schema.ts';

export { Runtime } from './runtime.ts';

export const GROUP = 'switchyard.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'ModelDeployment';
export const PLURAL = 'modeldeployments';
/** Any new value asks the store at once instead of at the next interval. */
export const RELOAD_ANNOTATION = `${GROUP}/reload`;

const replicas = () => int32(0, 1000);
const header = (field: string) =>
  matching(64, /^[A-Za-z0-9-]+$/, `${field} must be the name of an HTTP header, such as x-user-id`);

export const S3Source = z.object({
  bucket: matching(
    63,
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    "bucket must be the name of an S3 bucket: 3 to 63 lower-case letters, digits, '-' and '.', no URL",
  )
    .optional()
    .describe("Bucket of the models. Default: the operator's MODEL_BUCKET."),
  region: matching(64, /^[a-z0-9-]+$/, 'region must be the name of a region, such as eu-central-1')
    .optional()
    .describe("Region of the bucket. Default: the operator's AWS_REGION."),
  store: matching(
    63,
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "store must be the name of an object store in the operator's configuration, not a URL",
  )
    .default('aws')
    .describe("Name of an object store in the operator's configuration; never a URL."),
  credentialsSecretRef: z
    .object({ name: objectName('name').describe('Name of the Secret.') })
    .meta(atomicMap)
    .optional()
    .describe(
      "Secret of the same namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a store of kind http MODEL_STORE_TOKEN, or MODEL_STORE_USERNAME and MODEL_STORE_PASSWORD. Absent: the pod's own identity.",
    ),
});

export const Source = z.object({
  s3: S3Source.prefault({}).describe('Where the artifacts are: a bucket of an object store.'),
  pollInterval: duration('pollInterval', '1s', '24h')
    .default('30s')
    .describe('How often the store is asked for a new version of the keys, 1s to 24h.'),
});
export type Source = z.infer<typeof Source>;

/** One object of the bucket. A pin (versionId or sha256) stops automatic updates. */
export const Model = z
  .object({
    key: text(1024, 1).describe('S3 key of model.tar.gz or of a bare model file.'),
    versionId: text(1024, 1).optional().describe('Serve exactly this object version; stops automatic updates.'),
    sha256: matching(128, /^[0-9a-f]{64}$/, 'sha256 must be 64 lower-case hexadecimal digits')
      .optional()
      .describe('Required SHA-256 of the object in hex; stops automatic updates.'),
  })
  .meta(
    rules(
      {
        rule: "!self.key.startsWith('/') && !self.key.endsWith('/')",
        message: "key must name an object, without '/' at the start or the end",
        fieldPath: '.key',
      },
      {
        rule: "!self.key.split('/').exists(s, s == '.' || s == '..')",
        message: "key must not contain a '.' or '..' segment: write the path of the object itself",
        fieldPath: '.key',
      },
      {
        rule: "!self.key.matches(r'\\p{Cc}')",
        message: 'key must not contain control characters',
        fieldPath: '.key',
      },
      {
        rule: 'size(bytes(self.key)) <= 1024',
        message: 'key must be at most 1024 bytes of UTF-8, the limit of S3',
        fieldPath: '.key',
      },
    ),
  );
export type Model = z.infer<typeof Model>;

export const Variant = z.object({
  name: matching(
    20,
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "a variant's name must be lower-case letters, digits and single '-', starting with a letter",
    ["!self.contains('--')"],
  ).describe('Name of the variant, in child objects, metrics and the X-Model-Variant header.'),
  weight: int32(0, 1000).describe('Relative share of the traffic: weight / sum of all weights.'),
  replicas: replicas().optional().describe('Pods of this variant. Default: spec.replicas.'),
  model: Model.describe('The artifact that this variant serves.'),
  runtime: Runtime.optional().describe("Overrides the resource's runtime, field by field."),
});
export type Variant = z.infer<typeof Variant>;

export const Sticky = z
  .object({
    header: header('sticky.header').optional().describe('Name of the header whose value decides.'),
    cookie: matching(64, /^[A-Za-z0-9_-]+$/, 'sticky.cookie must be the name of a cookie, such as session')
      .optional()
      .describe('Name of the cookie whose value decides.'),
    clientAddress: z.object({}).optional().describe("The client's IP address decides."),
  })
  .meta(
    rules({
      rule: '(has(self.header) ? 1 : 0) + (has(self.cookie) ? 1 : 0) + (has(self.clientAddress) ? 1 : 0) == 1',
      message: 'sticky takes exactly one of header, cookie, clientAddress',
    }),
  );

const ServiceSettings = z.object({
  type: z
    .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
    .default('ClusterIP')
    .describe('Type of the Service that clients call.'),
  port: int32(1, 65535).default(80).describe('Port of the Service that clients call.'),
  annotations: stringMap(64, text(4096)).optional().describe('Annotations of the Service, e.g. for a load balancer.'),
});

export const Traffic = z.object({
  router: z
    .enum(['Auto', 'Service', 'HAProxy'])
    .default('Auto')
    .describe(
      'What divides the traffic. Auto: HAProxy when the spec can divide traffic, else a plain Service. Service: a plain Service, one variant only.',
    ),
  service: ServiceSettings.prefault({}).describe('The one stable address of the models.'),
  sticky: Sticky.optional().describe('What keeps a client on one variant. Absent, or missing in a request: random.'),
  overrideHeader: header('overrideHeader')
    .optional()
    .describe('Whoever sends this header with the name of a variant gets that variant. Absent: off.'),
});
export type Traffic = z.infer<typeof Traffic>;

const HotReload = z.object({
  maxConcurrent: matching(
    8,
    /^([1-9][0-9]{0,3}|[1-9][0-9]?%|100%)$/,
    'maxConcurrent must be a quoted number of pods ("2") or a percentage from "1%" to "100%"',
  )
    .default('25%')
    .describe('Pods that reload at the same time after the first: a number ("2") or a percentage of the replicas.'),
  soak: duration('soak', '0s', '24h').default('0s').describe('Wait after each wave before the next one, up to 24h.'),
  allowSchemaChange: z
    .boolean()
    .default(false)
    .describe(
      'Take versions with other features, classes or outputs than those that serve: clients see both for a while.',
    ),
});

export const Rollout = z.object({
  strategy: z
    .enum(['HotReload'])
    .default('HotReload')
    .describe('How a variant takes a new artifact version. HotReload: inside the running pods, in waves.'),
  hotReload: HotReload.prefault({}).describe('Settings of strategy HotReload.'),
  progressDeadline: duration('progressDeadline', '1s', '168h')
    .default('10m')
    .describe('A rollout without progress for so long is reported as Stalled, 1s to 168h.'),
});
export type Rollout = z.infer<typeof Rollout>;

export const Spec = z
  .object({
    source: Source.prefault({}).describe('Where the artifacts come from.'),
    variants: z.array(Variant).min(1).max(8).meta(mapByName).describe('The variants that share the traffic, 1 to 8.'),
    replicas: replicas().default(2).describe('Pods of each variant that does not set its own.'),
    runtime: Runtime.prefault({}).describe('What the pods run.'),
    rollout: Rollout.prefault({}).describe('How a change reaches the pods.'),
    traffic: Traffic.prefault({}).describe('How clients reach the models, and how requests are divided.'),
    suspend: z
      .boolean()
      .default(false)
      .describe('Freezes rollouts and following of the artifact; children are still healed, nothing is scaled to 0.'),
  })
  .meta(
    rules(
      {
        rule: 'self.variants.exists(v, v.weight > 0)',
        message: 'at least one variant needs a positive weight',
        fieldPath: '.variants',
      },
      {
        rule: "!has(self.traffic) || self.traffic.router != 'Service' || (size(self.variants) == 1 && !has(self.traffic.sticky) && !has(self.traffic.overrideHeader))",
        message:
          'router: Service cannot divide traffic; use Auto or HAProxy for several variants, sticky or overrideHeader',
        fieldPath: '.traffic.router',
      },
      {
        rule: 'has(self.runtime) && has(self.runtime.image) || self.variants.all(v, has(v.runtime) && has(v.runtime.image) || !(has(self.runtime) && has(self.runtime.server)) && !(has(v.runtime) && has(v.runtime.server)))',
        message: 'server describes another image: it needs runtime.image',
        fieldPath: '.runtime',
      },
    ),
  );
export type Spec = z.infer<typeof Spec>;

/**
 * The spec of an object as the API server returns it, with the defaults that the API server would set. Unknown fields are dropped, as it drops them;
 * rules across fields are its business alone. Throws ZodError when a field breaks its own limits.
 */
export function parseSpec(object: { readonly spec?: unknown }): Spec {
  return Spec.parse(object.spec ?? {});
}
