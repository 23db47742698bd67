// The part of the table in schema-cases.ts that is about the rollout.
import type { Accepted, Refused } from './schema-cases.ts';

export const acceptedRollouts: readonly Accepted[] = [
  ['soak of nothing', { 'spec.rollout.hotReload.soak': '0s' }],
  ['another schema on purpose', { 'spec.rollout.hotReload.allowSchemaChange': true }],
  ['a progressDeadline of a week', { 'spec.rollout.progressDeadline': '168h' }],
  ...['1', '9999', '1%', '100%'].map((value): Accepted => [
    `maxConcurrent ${value}`,
    { 'spec.rollout.hotReload.maxConcurrent': value },
  ]),
];

const CONCURRENT = 'maxConcurrent must be a quoted number of pods ("2") or a percentage from "1%" to "100%"';

export const refusedRollouts: readonly Refused[] = [
  ...['0', '0%', '101%', '2.5', '10000', 'all', ''].map((value): Refused => [
    `maxConcurrent ${JSON.stringify(value)}`,
    { 'spec.rollout.hotReload.maxConcurrent': value },
    CONCURRENT,
  ]),
  ['maxConcurrent as a number', { 'spec.rollout.hotReload.maxConcurrent': 2 }, 'must be of type string: "integer"'],
  [
    'allowSchemaChange as text',
    { 'spec.rollout.hotReload.allowSchemaChange': 'true' },
    'must be of type boolean: "string"',
  ],
  ['a strategy that is not built', { 'spec.rollout.strategy': 'Canary' }, 'supported values: "HotReload"'],
  ['a soak of days', { 'spec.rollout.hotReload.soak': '25h' }, 'soak must be a duration from 0s to 24h'],
  [
    'no progressDeadline',
    { 'spec.rollout.progressDeadline': '0s' },
    'progressDeadline must be a duration from 1s to 168h',
  ],
];
