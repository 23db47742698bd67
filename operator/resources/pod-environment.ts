// Environment variables of the containers that read the artifact from its store: our model server, or the adapter beside another one.
import type { StoreSettings } from '../../inference/contract.ts';
import { RESERVED_ENV } from '../domain/runtime.ts';
import { adminSecretName } from '../domain/names.ts';
import { ADMIN_TOKEN_KEY } from './admin-secret.ts';
import { ARTIFACT_FILE } from './artifact-config-map.ts';
import type { PodTemplateInput } from './pod-template.ts';

export type EnvVar = Readonly<Record<string, unknown>> & { readonly name: string };

export const CONFIG_DIR = '/etc/switchyard';
export const ARTIFACT_DIR = '/var/lib/switchyard/artifacts';
/** The schema refuses these in `env`; an object that was stored before it did must not get through either. */
const OWN_ENV: ReadonlySet<string> = new Set(RESERVED_ENV);

/** Variables with a value, those without one left out. */
export function variables(settings: readonly (readonly [string, string | undefined])[]): readonly EnvVar[] {
  return settings.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

/** Ours first, then the user's, which go before ours; a name occurs once, since a server-side apply refuses a list with the same key twice. */
export function withUsers(own: readonly EnvVar[], { runtime }: PodTemplateInput): readonly EnvVar[] {
  const users = (runtime.env ?? []).filter(({ name }) => !OWN_ENV.has(name));
  const taken = new Set(users.map(({ name }) => name));
  return [...own.filter(({ name }) => !taken.has(name)), ...users];
}

/** What a container needs to find the promoted artifact, its store, and the operator. */
export function storeEnvironment(input: PodTemplateInput): readonly EnvVar[] {
  const { store, credentialsSecret } = input;
  return [
    ...variables([
      ['MODEL_DEPLOYMENT', input.modelDeployment],
      ['VARIANT', input.variant],
      ['DESIRED_ARTIFACT_FILE', `${CONFIG_DIR}/${ARTIFACT_FILE}`],
      ['ARTIFACT_DIR', ARTIFACT_DIR],
      ['MODEL_BUCKET', input.bucket],
      ...addressOf(input),
    ]),
    fromSecret('ADMIN_TOKEN', adminSecretName(input.modelDeployment), ADMIN_TOKEN_KEY),
    ...(credentialsSecret === undefined ? [] : credentials(credentialsSecret, store.kind)),
  ];
}

function addressOf({ store, region }: PodTemplateInput): readonly (readonly [string, string | undefined])[] {
  if (store.kind === 'http') return [['MODEL_STORE_URL', store.url]];
  return [
    ['AWS_REGION', region ?? store.region],
    ['AWS_ENDPOINT_URL_S3', store.endpoint],
    ['S3_FORCE_PATH_STYLE', store.forcePathStyle ? 'true' : undefined],
  ];
}

/** A store of kind http takes a token, or a name and a password: none of them has to be there. */
function credentials(secret: string, kind: StoreSettings['kind']): readonly EnvVar[] {
  if (kind === 'http') {
    const names = ['MODEL_STORE_TOKEN', 'MODEL_STORE_USERNAME', 'MODEL_STORE_PASSWORD'];
    return names.map((name) => fromSecret(name, secret, name, true));
  }
  return [
    fromSecret('AWS_ACCESS_KEY_ID', secret, 'AWS_ACCESS_KEY_ID'),
    fromSecret('AWS_SECRET_ACCESS_KEY', secret, 'AWS_SECRET_ACCESS_KEY'),
    fromSecret('AWS_SESSION_TOKEN', secret, 'AWS_SESSION_TOKEN', true),
  ];
}

function fromSecret(name: string, secret: string, key: string, optional = false): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secret, key, ...(optional && { optional }) } } };
}
