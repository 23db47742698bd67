// The demo as a test: every claim of it on the tier's cluster. How fast a reload is belongs to the benchmark, since tests share their machine.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Claims } from '../demo/claims.ts';
import { diagnose } from '../demo/diagnosis.ts';
import { play } from '../demo/play.ts';
import { BLUE, PLAIN } from '../demo/show.ts';
import { openScene, type Scene } from './scene.ts';

let stage: Scene;

beforeAll(async () => {
  stage = await openScene();
});

afterAll(() => stage.close(BLUE, PLAIN));

it('serves, reloads, refuses, replaces and shifts under load without a failed request or a restart', async () => {
  const claims = new Claims();

  await play(stage, claims, () => undefined, { reloadMs: 30_000, nextListMs: 10_000 }).catch(async (error: unknown) => {
    throw new Error(await diagnose(stage), { cause: error });
  });

  expect(claims.broken).toEqual([]);
  expect(claims.all.length).toBeGreaterThanOrEqual(14);
});
