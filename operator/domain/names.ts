// Names of the children: deterministic, at most 63 characters, and never the same for two owners.
// Names of resources and variants have no `--`, so `<name>--<variant>` splits in one way only.
import { sha256 } from '../runtime/hash.ts';

const MAX_LENGTH = 63;
const HASH_LENGTH = 10;
/** Second parts of kinds that variants have too: their Deployments and budgets would meet. */
const RESERVED = new Set(['router']);

function hash(text: string): string {
  return sha256(text).slice(0, HASH_LENGTH);
}

/** Cuts a name that is too long and ends it in `--<hash>`: a second `--`, which no whole name has. */
function shortened(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  return `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 2)}--${hash(name)}`;
}

/** `<name>--<variant>`; a variant that is called like a child of the resource gets a hash behind it. */
function variantStem(name: string, variant: string): string {
  const stem = `${name}--${variant}`;
  return RESERVED.has(variant) ? `${stem}--${hash(stem)}` : stem;
}

/** The Deployment, PodDisruptionBudget and Service of one variant. */
export function variantName(name: string, variant: string): string {
  return shortened(variantStem(name, variant));
}

/** The ConfigMap with the promoted artifact of a variant's Deployment. */
export function artifactConfigMapName(name: string, variant: string): string {
  return shortened(`${variantStem(name, variant)}-artifact`);
}

/** The ControllerRevision that keeps one revision of a variant; `revision` is a revision hash. */
export function controllerRevisionName(name: string, variant: string, revision: string): string {
  return shortened(`${variantStem(name, variant)}-${revision}`);
}

/** The Secret with the token of the pods' admin port. */
export function adminSecretName(name: string): string {
  return shortened(`${name}--admin`);
}

/** Deployment, ConfigMap, ServiceAccount, Role, RoleBinding and PodDisruptionBudget of the router. */
export function routerName(name: string): string {
  return shortened(`${name}--router`);
}

/** The one stable Service of the resource. */
export function serviceName(name: string): string {
  return name;
}
