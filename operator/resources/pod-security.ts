// What Pod Security Standard `restricted` asks of our pods and containers, and a read-only root beyond it.

/** securityContext of a pod whose processes all run as this user. */
export function podSecurity(user: number): object {
  return { runAsNonRoot: true, runAsUser: user, runAsGroup: user, seccompProfile: { type: 'RuntimeDefault' } };
}

/** securityContext of every container. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;
