// Pods of one kind spread over nodes and zones where there are several; a cluster with one node takes them all.
import type { Labels } from '../domain/labels.ts';

/** topologySpreadConstraints for the pods with these labels; counted for each ReplicaSet, so that an old one does not push the new one aside. */
export function spread(matchLabels: Labels): readonly object[] {
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
    matchLabelKeys: ['pod-template-hash'],
  }));
}
