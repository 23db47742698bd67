// The status of a ModelDeployment. Written only when it changes: no heartbeat, no countdown, times are absolute.
import { z } from 'zod';

const time = z.string().max(40).meta({ format: 'date-time' });
const message = z.string().max(256);
const revisionName = z.string().max(16);

/** One version of an artifact together with the runtime it was resolved for. */
export const RevisionStatus = z.object({
  name: revisionName,
  key: z.string().max(1024),
  versionId: z.string().max(1024).optional(),
  etag: z.string().max(1024).optional(),
  sha256: z.string().max(64).optional(),
  size: z.int().optional(),
  lastModified: time.optional(),
  /** What the model calls itself: metadata.json `version`, as reported by a pod. */
  version: z.string().max(128).optional(),
  image: z.string().max(512).optional(),
});
export type RevisionStatus = z.infer<typeof RevisionStatus>;

/** A revision on its way to become stable; present only during a rollout. */
export const Candidate = z.object({
  revision: revisionName,
  attempt: z.int(),
  startedAt: time,
  /** A rollout that is not done by then is reported as Stalled. */
  deadline: time,
  /** Not before this time does the next wave start. */
  soakUntil: time.optional(),
  /** Pods that had loaded the candidate when the last wave ended. */
  loaded: z.int().default(0),
});
export type Candidate = z.infer<typeof Candidate>;

export const Rejection = z.object({ revision: revisionName, reason: z.string().max(64), message, time });
export type Rejection = z.infer<typeof Rejection>;

export const VariantStatus = z.object({
  name: z.string().max(20),
  /** The last fully promoted revision. */
  stable: revisionName.optional(),
  /** Where an immediate rollback would go. */
  previous: revisionName.optional(),
  candidate: Candidate.optional(),
  rejected: z.array(Rejection).max(5).optional(),
  /** Fencing number of the last decision that pods were told of. */
  sequence: z.int().default(0),
  /** Acknowledged by every serving router. */
  weight: z.int().optional(),
  percent: z.string().max(8).optional(),
  replicas: z.int().default(0),
  ready: z.int().default(0),
  /** Pods that report the desired version. */
  loaded: z.int().default(0),
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
  type: z.enum(CONDITION_TYPES),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int(),
  reason: z.string().min(1).max(64),
  message,
  lastTransitionTime: time,
});
export type Condition = z.infer<typeof Condition>;

export const Status = z.object({
  observedGeneration: z.int().default(0),
  phase: z.enum(PHASES).default('Pending'),
  message: message.optional(),
  summary: z
    .object({
      version: z.string().max(256).optional(),
      traffic: z.string().max(256).optional(),
      loaded: z.string().max(16).optional(),
      url: z.string().max(256).optional(),
    })
    .optional(),
  revisions: z.array(RevisionStatus).max(32).optional(),
  variants: z.array(VariantStatus).max(8).optional(),
  replicas: z.int().optional(),
  selector: z.string().max(512).optional(),
  conditions: z.array(Condition).max(16).optional(),
});
export type Status = z.infer<typeof Status>;
