// The status of a ModelDeployment. Written only when it changes: no heartbeat, no countdown, times are absolute.
import * as z from 'zod';
import { atomicList, int32, mapByName, text } from './schema.ts';

const time = () => z.string().max(40).meta({ format: 'date-time' });
/** Longest message of a status, in characters. */
export const MAX_MESSAGE = 256;
const message = () => text(MAX_MESSAGE);
const revisionName = () => text(16);
const count = () => int32(0, 2147483647);

/** One version of an artifact together with the runtime it was resolved for. */
export const RevisionStatus = z.object({
  name: revisionName().describe('Name of the revision: a hash.'),
  key: text(1024).describe('S3 key of the artifact.'),
  versionId: text(1024).optional().describe('Version of the object, when the bucket has versioning.'),
  etag: text(1024).optional().describe('ETag of the object: an opaque token.'),
  sha256: text(64).optional().describe('SHA-256 of the object in hex, once known.'),
  size: z.int().min(0).meta({ format: 'int64' }).optional().describe('Size of the object in bytes.'),
  lastModified: time().optional().describe('When the object was written.'),
  version: text(128)
    .optional()
    .describe('What the model calls itself: version of metadata.json, as reported by a pod.'),
  image: text(512).optional().describe('Container image that serves it.'),
});
export type RevisionStatus = z.infer<typeof RevisionStatus>;

/** A revision on its way to become stable; present only during a rollout. */
export const Candidate = z.object({
  revision: revisionName().describe('The revision that is rolled out.'),
  startedAt: time().describe('When its rollout began.'),
  deadline: time().describe('A rollout that is not done by then is reported as Stalled.'),
  soakUntil: time().optional().describe('The next wave does not start before this time.'),
  loaded: count().default(0).describe('Pods that had loaded the candidate when the last wave ended.'),
});
export type Candidate = z.infer<typeof Candidate>;

export const Rejection = z.object({
  revision: revisionName().describe('A revision that is never tried again by itself.'),
  reason: text(64).describe('Why, in one CamelCase word.'),
  message: message().describe('Why, for people.'),
  time: time().describe('When it was rejected.'),
});
export type Rejection = z.infer<typeof Rejection>;

export const VariantStatus = z.object({
  name: text(20).describe('Name of the variant.'),
  stable: revisionName().optional().describe('The last fully promoted revision.'),
  previous: revisionName().optional().describe('Where an immediate rollback would go.'),
  candidate: Candidate.optional().describe('The revision that is being rolled out; absent at rest.'),
  rejected: z.array(Rejection).max(5).meta(atomicList).optional().describe('Revisions that failed, newest last.'),
  sequence: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .default(0)
    .describe('Fencing number of the last decision that pods were told of.'),
  weight: int32(0, 1000).optional().describe('Weight acknowledged by every serving router.'),
  percent: text(8).optional().describe('Share of the traffic that this weight is, such as 90%.'),
  replicas: count().default(0).describe('Pods of the variant.'),
  ready: count().default(0).describe('Pods that are ready.'),
  loaded: count().default(0).describe('Pods that report the desired version.'),
});
export type VariantStatus = z.infer<typeof VariantStatus>;

export const PHASES = ['Pending', 'Progressing', 'RollingBack', 'Healthy', 'Degraded', 'Suspended'] as const;

export const CONDITION_TYPES = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Available',
  'UpToDate',
  'ArtifactResolved',
  'ArtifactDurable',
  'ModelLoaded',
  'TrafficApplied',
] as const;

export const Condition = z.object({
  type: z.enum(CONDITION_TYPES).describe('Type of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('Generation of the spec that the condition speaks of.'),
  reason: text(64, 1).describe('Why, in one CamelCase word; stable.'),
  message: message().describe('Why, for people.'),
  lastTransitionTime: time().describe('When status last changed.'),
});
export type Condition = z.infer<typeof Condition>;

const Summary = z.object({
  version: text(256).optional().describe('Versions of the models, as reported by the pods.'),
  traffic: text(256).optional().describe('Acknowledged weights, such as blue=90,green=10.'),
  loaded: text(16).optional().describe('Pods that report the desired version, of all: 4/4.'),
  url: text(256).optional().describe('Address of the models inside the cluster.'),
});

export const Draining = z.object({
  id: text(64).describe('Names this drain towards the pods.'),
  until: time().describe('Given up at this time.'),
});
export type Draining = z.infer<typeof Draining>;

const byType = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] };

export const Status = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .default(0)
    .describe('Generation of the spec that this status speaks of.'),
  phase: z.enum(PHASES).default('Pending').describe('One word for people; programs read the conditions.'),
  message: message().optional().describe('What is going on, for people.'),
  summary: Summary.optional().describe('Scalars for the columns of kubectl get.'),
  revisions: z
    .array(RevisionStatus)
    .max(32)
    .meta(mapByName)
    .optional()
    .describe('One row for each revision that anything below names.'),
  variants: z.array(VariantStatus).max(8).meta(mapByName).optional().describe('The variants as they are.'),
  draining: Draining.optional().describe(
    'Model pods that end the connections from before the Service pointed at routers.',
  ),
  replicas: count().optional().describe('Pods of all variants, for the scale subresource.'),
  selector: text(512)
    .optional()
    .describe('Label selector of the pods, for the scale subresource; empty with several variants.'),
  conditions: z.array(Condition).max(16).meta(byType).optional().describe('The state in terms that programs can read.'),
});
export type Status = z.infer<typeof Status>;

/** What the API server gives a new object before the operator has seen it, so that nothing takes it for ready. */
export const INITIAL_STATUS: Status = {
  observedGeneration: 0,
  phase: 'Pending',
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      observedGeneration: 0,
      reason: 'Pending',
      message: 'waiting for the operator',
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
};
