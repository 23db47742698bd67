// Stands in for @kubernetes/client-node in the bundle (see build.js): just what the operator uses of it, so that the thousands of generated models and
// API classes stay out of the image and of memory. Never imported by source files.
export { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** The base class of the shell makes one of these for itself; nothing ever calls it. */
export function CoreV1Api(): void {
  // Only has to be constructible.
}
