// What a variant's pods run and where: the part of the spec that changes the pod template. Only settings that have an effect are here; a whole
// PodSpec is not, so that host namespaces, host paths and privileges cannot be expressed.
import * as z from 'zod';
import {
  atomicList,
  atomicMap,
  int32,
  mapByName,
  matching,
  objectName,
  quantity,
  rules,
  stringMap,
  text,
} from './schema.ts';
import { Server } from './server.ts';

const keyName = () =>
  matching(253, /^[-._a-zA-Z0-9]+$/, "key must be a key of the object's data: letters, digits, '-', '_' and '.'");

const keyRef = (kind: string) =>
  z
    .object({
      name: objectName('name').describe(`Name of the ${kind}, in the namespace of the ModelDeployment.`),
      key: keyName().describe(`Key in the ${kind}.`),
      optional: z.boolean().optional().describe(`Start the container even when the ${kind} or its key is missing.`),
    })
    .meta(atomicMap);

const ValueFrom = z
  .object({
    secretKeyRef: keyRef('Secret').optional().describe('A key of a Secret.'),
    configMapKeyRef: keyRef('ConfigMap').optional().describe('A key of a ConfigMap.'),
    fieldRef: z
      .object({ fieldPath: text(253, 1).describe('Path of the field, such as metadata.name.') })
      .meta(atomicMap)
      .optional()
      .describe('A field of the pod.'),
  })
  .meta(
    rules({
      rule: '(has(self.secretKeyRef) ? 1 : 0) + (has(self.configMapKeyRef) ? 1 : 0) + (has(self.fieldRef) ? 1 : 0) == 1',
      message: 'valueFrom takes exactly one of secretKeyRef, configMapKeyRef, fieldRef',
    }),
  );

/** Variables by which the operator and the pod find each other; nobody else may set them. */
export const RESERVED_ENV = [
  'ADMIN_PORT',
  'ADMIN_TOKEN',
  'ARTIFACT_DIR',
  'DESIRED_ARTIFACT_FILE',
  'HOST',
  'MODEL_DEPLOYMENT',
  'PORT',
  'VARIANT',
] as const;

const EnvVar = z
  .object({
    name: matching(
      253,
      /^[-._a-zA-Z][-._a-zA-Z0-9]*$/,
      "env name must be letters, digits, '-', '_' and '.', and not start with a digit",
    ).describe('Name of the variable.'),
    value: text(4096).optional().describe('Value of the variable. Default: empty.'),
    valueFrom: ValueFrom.optional().describe('Where the value comes from, instead of value.'),
  })
  .meta(
    rules(
      {
        rule: '!(has(self.value) && has(self.valueFrom))',
        message: 'env takes value or valueFrom, not both',
      },
      {
        rule: `!(self.name in [${RESERVED_ENV.map((name) => `'${name}'`).join(', ')}])`,
        message: `env must not set ${RESERVED_ENV.join(', ')}: the operator does`,
        fieldPath: '.name',
      },
    ),
  );

const Toleration = z
  .object({
    key: text(317).optional().describe('Taint key that is tolerated. Absent with operator Exists: every key.'),
    operator: z.enum(['Exists', 'Equal']).optional().describe('How key and value are compared. Default: Equal.'),
    value: text(63).optional().describe('Taint value that is tolerated, under Equal.'),
    effect: z
      .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
      .optional()
      .describe('Taint effect that is tolerated. Absent: all.'),
    tolerationSeconds: int32(0, 2147483647)
      .optional()
      .describe('How long the pod stays on a node that gets a NoExecute taint. Absent: for ever.'),
  })
  .meta(
    rules(
      {
        rule: "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
        message: 'a toleration without key needs operator: Exists',
      },
      {
        rule: "!(has(self.operator) && self.operator == 'Exists' && has(self.value) && self.value != '')",
        message: 'a toleration with operator: Exists takes no value',
      },
      {
        rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        message: 'tolerationSeconds needs effect: NoExecute',
      },
    ),
  );

const Resources = z.object({
  requests: stringMap(16, quantity()).optional().describe('What the scheduler sets aside for each pod.'),
  limits: stringMap(16, quantity()).optional().describe('What a pod may use at most.'),
});

/** The pods of a variant. Every field of a variant's own runtime replaces that field of the resource's. */
export const Runtime = z.object({
  image: matching(
    512,
    /^[a-zA-Z0-9][a-zA-Z0-9._:@/-]*$/,
    'image must be an image reference such as registry.example.com/team/server:1.2',
  )
    .optional()
    .describe("Container image. Default: the operator's inference image."),
  server: Server.optional().describe(
    'For an image that is no Switchyard model server: how the adapter beside it hands models over. Absent: the image speaks for itself.',
  ),
  resources: Resources.optional().describe('CPU, memory and devices such as nvidia.com/gpu.'),
  env: z
    .array(EnvVar)
    .max(64)
    .meta(mapByName)
    .optional()
    .describe('Environment variables of the container; never holds secrets itself.'),
  serviceAccountName: objectName('serviceAccountName')
    .optional()
    .describe("ServiceAccount of the pods: their identity towards the object store. Default: the namespace's default."),
  nodeSelector: stringMap(32, text(63))
    .meta(atomicMap)
    .optional()
    .describe('Labels that a node must have to run the pods.'),
  tolerations: z.array(Toleration).max(32).meta(atomicList).optional().describe('Taints that the pods tolerate.'),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe("When the image is pulled. Default: Kubernetes' own, by tag."),
  imagePullSecrets: z
    .array(z.object({ name: objectName('name').describe('Name of the Secret.') }).meta(atomicMap))
    .max(8)
    .meta(mapByName)
    .optional()
    .describe('Secrets of the same namespace for the image registry.'),
  runAsUser: int32(1, 2147483647).optional().describe('Numeric user of the container; never root. Default: 65532.'),
});
export type Runtime = z.infer<typeof Runtime>;
