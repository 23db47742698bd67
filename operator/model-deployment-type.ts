// Our own resource as a ResourceType: the one place where the domain's names meet kube/, which knows no words of the domain.
import { GROUP, KIND, PLURAL, VERSION } from './domain/model-deployment.ts';
import type { ResourceType } from './kube/resources.ts';

export const MODEL_DEPLOYMENT: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};
