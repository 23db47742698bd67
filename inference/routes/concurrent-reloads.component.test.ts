import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

let rig: ReloadRig;
let s3: FakeS3;
let server: Rig;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
beforeEach(async () => {
  server = await rig.start();
});
afterEach(() => server.stop());
afterAll(() => rig.close());

describe('reloads at the same time', () => {
  it('of one version are one download, and all are told when it serves', async () => {
    const next = { sequence: 2, revision: 'r2', key: KEY, ...s3.put('models', KEY, fixture('basket-blue-2')) };
    const before = s3.requests.length;

    const answers = await Promise.all(Array.from({ length: 8 }, () => reload(server, next)));

    expect(answers.map(({ status, answer }) => `${status} ${answer.active?.version ?? ''}`)).toEqual(
      new Array(8).fill('200 blue-2'),
    );
    expect(s3.requests.length - before).toBe(1);
  });

  it('of several versions end in the one with the highest sequence, in whatever order they come', async () => {
    const names = ['basket-blue-2', 'basket-green', 'basket-medium'];
    const versions = names.map((name) => ({ key: KEY, ...s3.put('models', KEY, fixture(name)) }));
    const sequences = [5, 9, 3, 7, 2, 8, 4, 6];

    const answers = await Promise.all(
      sequences.map((sequence) =>
        reload(server, { sequence, revision: `r${sequence}`, ...versions[sequence % versions.length]! }),
      ),
    );

    const highest = answers[sequences.indexOf(9)];
    expect(highest).toMatchObject({ status: 200, answer: { active: { revision: 'r9', version: 'blue-2' } } });
    const losers = answers.filter((each) => each !== highest);
    expect(losers.every(({ answer }) => ['StaleSequence', 'Superseded'].includes(answer.error?.reason ?? ''))).toBe(
      true,
    );
    expect(await info(server)).toMatchObject({ version: 'blue-2', sequence: 9, artifact: { revision: 'r9' } });
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-2');
  });
});
