// What the pods of all models have in common, whoever's image serves them.
import { ARTIFACT_DIR, CONFIG_DIR } from './pod-environment.ts';

export const MODEL_CONTAINER = 'model';
export const DEFAULT_RESOURCES = { requests: { cpu: '50m', memory: '192Mi' } };

/** Longer than the time in which every node takes a pod out of its Services. */
const PRE_STOP_SECONDS = 5;
export const PRE_STOP = { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } };

export const ARTIFACT_MOUNTS = [
  { name: 'artifact', mountPath: CONFIG_DIR, readOnly: true },
  { name: 'artifacts', mountPath: ARTIFACT_DIR },
];
export const TMP_MOUNT = { name: 'tmp', mountPath: '/tmp' };
