// The Secret with the token of the pods' admin port. The token is made once, by the caller, and never changes while pods hold it.
import { labelsFor } from '../domain/labels.ts';
import { adminSecretName } from '../domain/names.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';

export const ADMIN_TOKEN_KEY = 'token';

/** `token` is ASCII. It goes into `data`: the API server never gives `stringData` back, so an apply could not own it. */
export function buildAdminSecret(owner: Owner, token: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(owner, adminSecretName(owner.name), labelsFor({ name: owner.name, component: 'model' })),
    type: 'Opaque',
    data: { [ADMIN_TOKEN_KEY]: btoa(token) },
  };
}

/** The token of such a Secret as read from the API server; undefined when it has none. */
export function parseAdminToken(data: Readonly<Record<string, string>> | undefined): string | undefined {
  const encoded = data?.[ADMIN_TOKEN_KEY];
  return encoded === undefined || encoded === '' ? undefined : atob(encoded);
}
