// Labels of everything that the operator makes, and the selectors that find it again.
import { LABEL_MODEL_DEPLOYMENT } from '../../router/contract.ts';

export { LABEL_MODEL_DEPLOYMENT };

export const MANAGED_BY = 'switchyard';
export const LABEL_NAME = 'app.kubernetes.io/name';
export const LABEL_INSTANCE = 'app.kubernetes.io/instance';
export const LABEL_COMPONENT = 'app.kubernetes.io/component';
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
export const LABEL_VARIANT = 'switchyard.dev/variant';
export const LABEL_REVISION = 'switchyard.dev/revision';

export type Component = 'model' | 'router';
export type Labels = Readonly<Record<string, string>>;

export interface LabelInput {
  /** Name of the ModelDeployment. */
  readonly name: string;
  readonly component: Component;
  readonly variant?: string;
  /** Only on objects that belong to one revision, never on pods that are reloaded in place. */
  readonly revision?: string;
}

/** All labels of one child. */
export function labelsFor({ name, component, variant, revision }: LabelInput): Labels {
  return {
    [LABEL_NAME]: MANAGED_BY,
    [LABEL_INSTANCE]: name,
    [LABEL_COMPONENT]: component,
    [LABEL_MANAGED_BY]: MANAGED_BY,
    [LABEL_MODEL_DEPLOYMENT]: name,
    ...(variant !== undefined && { [LABEL_VARIANT]: variant }),
    ...(revision !== undefined && { [LABEL_REVISION]: revision }),
  };
}

/** Labels that pick the model pods of one variant. A Deployment's selector can never change: keep this set. */
export function variantSelector(name: string, variant: string): Labels {
  return { [LABEL_MODEL_DEPLOYMENT]: name, [LABEL_COMPONENT]: 'model', [LABEL_VARIANT]: variant };
}

/** Labels that pick the router pods of one resource. */
export function routerSelector(name: string): Labels {
  return { [LABEL_MODEL_DEPLOYMENT]: name, [LABEL_COMPONENT]: 'router' };
}

/** `key=value,…`, sorted: for list calls and the scale subresource. */
export function selectorText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key] ?? ''}`)
    .join(',');
}

/** Finds every object that the operator made for any resource. */
export const ALL_MANAGED = `${LABEL_MANAGED_BY}=${MANAGED_BY}`;
