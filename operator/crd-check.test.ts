import { beforeEach, expect, it } from 'vitest';
import { FakeClock, settle } from '../test/support/fake-clock.ts';
import { CrdCheck } from './crd-check.ts';
import { buildCrd } from './domain/crd.ts';
import { KubeError } from './kube/errors.ts';
import { createLogger } from './logger.ts';

const older = () => {
  const crd = JSON.parse(JSON.stringify(buildCrd())) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { status: { properties: object } } } } }[] };
  };
  crd.spec.versions[0]!.schema.openAPIV3Schema.properties.status.properties = {};
  return crd;
};
let clock: FakeClock;
let answer: () => unknown;
let asked: string[];
let check: CrdCheck;
let ending: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  ending = new AbortController();
  const request = (_method: string, path: string) => {
    asked.push(path);
    return Promise.resolve().then(answer);
  };
  check = new CrdCheck({ client: { request }, clock, log: createLogger('silent') });
});

it('says what an older definition lacks and what to do, until the newer one is there', async () => {
  answer = older;
  const done = check.run(ending.signal);
  await settle();
  expect(asked).toEqual(['/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.switchyard.dev']);
  expect(check.problem).toContain('it lacks status.observedGeneration, status.phase,');
  expect(check.problem).toContain('and 5 more; apply crds/modeldeployment.yaml of this release');

  answer = buildCrd;
  await clock.advance(60_000);
  expect(check.problem).toBeUndefined();

  ending.abort();
  await done;
});

it('keeps what it knows while the API server does not answer', async () => {
  answer = older;
  const done = check.run(ending.signal);
  await settle();
  answer = () => {
    throw new KubeError({ status: 503, reason: 'ServiceUnavailable', message: '' });
  };
  await clock.advance(60_000);
  expect(asked).toHaveLength(2);
  expect(check.problem).toBeDefined();
  ending.abort();
  await done;
});

it('asks no more when it may not', async () => {
  answer = () => {
    throw new KubeError({ status: 403, reason: 'Forbidden', message: 'cannot get' });
  };
  await check.run(ending.signal);
  expect(check.problem).toBeUndefined();
  expect(asked).toHaveLength(1);
});
