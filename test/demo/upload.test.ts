import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MissingPart } from '../cluster/missing.ts';
import type { ResourceView } from './kube.ts';
import { openKeptStage, outcomeOf } from './upload.ts';

let runDir: string;

beforeEach(async () => {
  runDir = await mkdtemp(join(tmpdir(), 'switchyard-upload-'));
});

afterEach(async () => {
  await rm(runDir, { recursive: true, force: true });
});

it('says how to get a demo when none is up', async () => {
  await expect(openKeptStage(new AbortController().signal, runDir)).rejects.toThrow(MissingPart);
});

it('leaves alone what belongs to another run', async () => {
  await writeFile(join(runDir, 'instance.json'), '{}');
  await writeFile(join(runDir, 'owner.json'), '{"pid": 1, "identity": "x"}');

  await expect(openKeptStage(new AbortController().signal, runDir)).rejects.toThrow('belongs to another run');
});

const UPLOADED = { etag: 'e2', versionId: 'v2', atMs: 0 };
const REVISIONS = [
  { name: 'r1', versionId: 'v1', etag: 'e1' },
  { name: 'r2', versionId: 'v2', etag: 'e2' },
];

function aResource(blue: object, upToDate: 'True' | 'False', suspend = false): ResourceView {
  const condition = { type: 'UpToDate', status: upToDate, reason: 'X', message: '', lastTransitionTime: '' };
  return {
    metadata: { name: 'retail', uid: 'u', generation: 1 },
    spec: { suspend },
    status: { phase: 'Healthy', revisions: REVISIONS, variants: [{ name: 'blue', ...blue }], conditions: [condition] },
  } as unknown as ResourceView;
}

it('says nothing while another revision serves', () => {
  expect(outcomeOf(aResource({ stable: 'r1', candidate: { revision: 'r2' } }, 'False'), UPLOADED)).toBeUndefined();
});

it('says that it serves once it is stable', () => {
  expect(outcomeOf(aResource({ stable: 'r2' }, 'True'), UPLOADED)).toBe('every pod of blue serves it.');
});

it('says why it is refused, and takes no older refusal for its own', () => {
  const rejected = [{ revision: 'r2', reason: 'ArtifactInvalid', message: 'damaged', time: '' }];
  const older = [{ revision: 'r1', reason: 'ArtifactInvalid', message: 'damaged', time: '' }];

  expect(outcomeOf(aResource({ stable: 'r1', rejected }, 'False'), UPLOADED)).toBe('refused, ArtifactInvalid: damaged');
  expect(outcomeOf(aResource({ stable: 'r1', rejected: older }, 'False'), UPLOADED)).toBeUndefined();
});

it('says at once that it waits while the resource is suspended', () => {
  expect(outcomeOf(aResource({ stable: 'r1' }, 'False', true), UPLOADED)).toBe(
    'suspended: this version waits until spec.suspend is false.',
  );
});
