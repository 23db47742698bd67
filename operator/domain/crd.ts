// The CustomResourceDefinition, built from the zod schemas. Pure: operator/crds.ts writes it to crds/.
import * as z from 'zod';
import { GROUP, KIND, PLURAL, Spec, VERSION } from './model-deployment.ts';
import { INITIAL_STATUS, Status } from './status.ts';

type Json = Readonly<Record<string, unknown>>;

const NAME_RULE = {
  rule: "self.metadata.name.matches(r'^[a-z]([-a-z0-9]*[a-z0-9])?$') && !self.metadata.name.contains('--')",
  message:
    "name must be lower-case letters, digits and single '-', starting with a letter: child objects are named after it",
  fieldPath: '.metadata.name',
};

const ready = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

const COLUMNS = [
  column('Ready', ready('status'), 'Whether the models serve as the spec asks.'),
  column('Phase', '.status.phase', 'What is going on, in one word for people.'),
  column('Version', '.status.summary.version', 'Versions that the pods report.'),
  column('Traffic', '.status.summary.traffic', 'Weights acknowledged by every router.'),
  column('Loaded', '.status.summary.loaded', 'Pods that report the desired version, of all.'),
  { ...column('Replicas', '.status.replicas', 'Pods of all variants.'), type: 'integer' },
  { ...column('Age', '.metadata.creationTimestamp', 'Time since creation.'), type: 'date' },
  wide('Key', '.spec.variants[0].model.key', 'S3 key of the first variant.'),
  wide('Strategy', '.spec.rollout.strategy', 'How a variant takes a new artifact version.'),
  wide('URL', '.status.summary.url', 'Address of the models inside the cluster.'),
  wide('Message', '.status.message', 'What is going on, for people.'),
];

function column(name: string, jsonPath: string, description: string) {
  return { name, type: 'string', jsonPath, description };
}

function wide(name: string, jsonPath: string, description: string) {
  return { ...column(name, jsonPath, description), priority: 1 };
}

/** The whole CustomResourceDefinition as a plain object, ready to be applied. */
export function buildCrd() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'switchyard' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['mdep'],
        categories: ['ml'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: COLUMNS,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          schema: { openAPIV3Schema: rootSchema() },
        },
      ],
    },
  };
}

function rootSchema() {
  return {
    type: 'object',
    description:
      'Serves models from S3, divides the traffic between their variants and swaps them inside running pods.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 40 } } },
      spec: { ...structural(Spec), description: 'What is asked for.' },
      status: {
        ...structural(Status),
        description: 'What is; written by the operator alone.',
        default: INITIAL_STATUS,
      },
    },
    'x-kubernetes-validations': [NAME_RULE],
  };
}

/** The schema of what a user may write, as a structural schema of Kubernetes: one type for each field, no $schema, no propertyNames. */
function structural(schema: z.ZodType): Json {
  return tidy(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }));
}

const NOT_STRUCTURAL = ['$schema', 'additionalProperties', 'propertyNames'];

/** The only form in which Kubernetes takes two types for one field. */
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

function tidy(schema: Json): Json {
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    // An object without fields: the API server drops the empty list, and would differ from the file for ever.
    if (key === 'properties' && isJson(value)) return Object.keys(value).length === 0 ? [] : [[key, tidyAll(value)]];
    if ((key === 'items' || key === 'additionalProperties') && isJson(value)) return [[key, tidy(value)]];
    if (key === 'anyOf' && schema['x-kubernetes-int-or-string'] === true) return [[key, INT_OR_STRING]];
    return NOT_STRUCTURAL.includes(key) ? [] : [[key, value]];
  });
  return Object.fromEntries(entries);
}

function tidyAll(properties: Json): Json {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isJson(value) ? tidy(value) : value]),
  );
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
