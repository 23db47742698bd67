// The Services: one stable address for the resource, and one for each variant directly.
import { ADMIN_PORT } from '../../inference/contract.ts';
import { labelsFor, routerSelector, variantSelector } from '../domain/labels.ts';
import type { Traffic } from '../domain/model-deployment.ts';
import { serviceName, variantName } from '../domain/names.ts';
import type { ServiceTarget } from '../domain/observed.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';

/** Both kinds of pods behind the stable Service call their port like this, so that a flip is a change of the selector alone. */
export const TRAFFIC_PORT_NAME = 'http';

export interface ServiceInput {
  readonly owner: Owner;
  readonly settings: Traffic['service'];
  readonly target: ServiceTarget;
}

/** Service `<name>`: the model pods of one variant, or the router pods. */
export function buildService({ owner, settings, target }: ServiceInput): Manifest {
  const labels = labelsFor({ name: owner.name, component: target.kind === 'router' ? 'router' : 'model' });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...childMetadata(owner, serviceName(owner.name), labels),
      ...(settings.annotations !== undefined && { annotations: settings.annotations }),
    },
    spec: {
      type: settings.type,
      selector: target.kind === 'router' ? routerSelector(owner.name) : variantSelector(owner.name, target.variant),
      ports: [{ name: 'http', port: settings.port, targetPort: TRAFFIC_PORT_NAME, protocol: 'TCP' }],
    },
  };
}

/** Service `<name>--<variant>`: preview, smoke tests, the router's servers, and artifacts for pods that start (admin port). */
export function buildVariantService(owner: Owner, variant: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(
      owner,
      variantName(owner.name, variant),
      labelsFor({ name: owner.name, component: 'model', variant }),
    ),
    spec: {
      type: 'ClusterIP',
      selector: variantSelector(owner.name, variant),
      ports: [
        { name: 'http', port: 80, targetPort: TRAFFIC_PORT_NAME, protocol: 'TCP' },
        { name: 'admin', port: ADMIN_PORT, targetPort: 'admin', protocol: 'TCP' },
      ],
    },
  };
}
