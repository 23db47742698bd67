// REST coordinates of our own resource.
import { GROUP, KIND, PLURAL, VERSION } from './domain/model-deployment.ts';
import type { ResourceType } from './kube/resources.ts';

export const MODEL_DEPLOYMENT: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};
