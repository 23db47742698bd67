// The objects around the product that the demo makes, and its edits of the example.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Cluster } from '../cluster/cluster.ts';
import { projectRoot } from '../cluster/config.ts';

export const NAMESPACE = 'ml';
export const SYSTEM_NAMESPACE = 'switchyard-system';
export const BUCKET = 'models';
/** Without versioning. */
export const PLAIN_BUCKET = 'models-plain';
export const EXAMPLE = join(projectRoot, 'crds/examples/retail.yaml');

export type Manifest = Readonly<Record<string, unknown>>;

/** A Service `minio` in a namespace of its own that leads to the S3 server: the shipped configuration names it, so that works as it is. */
export function objectStoreManifests(endpoint: string): Manifest[] {
  const { hostname, port } = new URL(endpoint);
  const metadata = { name: 'minio', namespace: 'minio' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'minio' } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 's3', port: 9000, protocol: 'TCP' }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'minio' } },
      addressType: 'IPv4',
      ports: [{ name: 's3', port: Number(port), protocol: 'TCP' }],
      endpoints: [{ addresses: [hostname], conditions: { ready: true } }],
    },
  ];
}

/** A namespace that takes restricted pods only, with the Secret that the example names. */
export function tenantManifests(
  namespace: string,
  s3: Pick<Cluster['s3'], 'accessKeyId' | 'secretAccessKey'>,
): Manifest[] {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's3-read', namespace },
      stringData: { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey },
    },
  ];
}

interface ExampleVariant {
  readonly name: string;
  readonly weight: number;
  readonly replicas?: number;
  readonly model: { readonly key: string; readonly sha256?: string };
}

export interface Example extends Manifest {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly source: { readonly s3: Readonly<Record<string, unknown>>; readonly pollInterval: string };
    readonly variants: readonly ExampleVariant[];
    readonly replicas: number;
    readonly traffic?: Readonly<Record<string, unknown>>;
    readonly [field: string]: unknown;
  };
}

/** crds/examples/retail.yaml. */
export async function readExample(): Promise<Example> {
  return parse(await readFile(EXAMPLE, 'utf8')) as Example;
}

/** The example with other weights. */
export function withWeights(example: Example, weights: Readonly<Record<string, number>>): Example {
  const variants = example.spec.variants.map((variant) => ({
    ...variant,
    weight: weights[variant.name] ?? variant.weight,
  }));
  return { ...example, spec: { ...example.spec, variants } };
}

export interface SingleOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly bucket?: string;
  readonly key: string;
  readonly replicas?: number;
  /** Of the model, beside the key. */
  readonly model?: Readonly<Record<string, string>>;
  /** Further fields of the spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A resource like the example with its first variant alone, behind a plain Service. */
export function singleVariant(example: Example, options: SingleOptions): Example {
  const { name, key, namespace = NAMESPACE, bucket = BUCKET, replicas = 2, model, spec } = options;
  const { source, variants, runtime } = example.spec;
  return {
    ...example,
    metadata: { name, namespace },
    spec: {
      runtime,
      replicas,
      source: { ...source, s3: { ...source.s3, bucket } },
      variants: variants.slice(0, 1).map((variant) => ({ ...variant, weight: 1, model: { key, ...model } })),
      ...spec,
    },
  };
}
