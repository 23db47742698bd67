// Everything that changes around the router while clients send POSTs on keep-alive connections and never retry: no request may fail.
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BUCKETS } from '../../router/contract.ts';
import { post, startLoad } from '../support/keep-alive-load.ts';
import { isHaproxyMissing, RouterScene, variantsByKey } from '../support/router-scene.ts';

const scene = new RouterScene();
const check = it.skipIf(isHaproxyMissing());
const LOAD = { connections: 50, thinkMs: 10 };

check('when weights change many times', async () => {
  const router = await scene.start({ blue: 90, green: 10 });
  const load = startLoad(router.url, LOAD);

  for (const green of [0, 30, 100, 50, 5, 75, 0, 100, 10, 50]) {
    await router.setWeights({ blue: 100 - green, green });
    await pause(100);
  }
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect(result.requests).toBeGreaterThan(1_000);
  expect(result.variants).not.toHaveProperty('none');
});

check('when pods are added, and others leave after their Service forgot them', async () => {
  const first = await scene.podsOf('blue', 2, 20);
  const router = await scene.start({ blue: 100 }, {}, { blue: first });
  const load = startLoad(router.url, LOAD);

  let current = first;
  for (let round = 0; round < 4; round += 1) {
    const next = await scene.podsOf('blue', 2, 20);
    router.setPods('blue', [...current, ...next]);
    await router.untilApplied(({ slots }) => slots[0]?.servers === 4);
    router.setPods('blue', next);
    await router.untilApplied(({ slots }) => slots[0]?.servers === 2);
    await pause(200); // the pods' own preStop
    await Promise.all(current.map((pod) => pod.leave()));
    current = next;
  }
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect(scene.pods.every(({ served }) => served > 0)).toBe(true);
  await router.until(() => router.serverNames().then((names) => names.length === 2), 'old servers are deleted');
});

check('when a pod dies before the API server notices', async () => {
  const blue = await scene.podsOf('blue', 2);
  const router = await scene.start({ blue: 100 }, {}, { blue });
  await blue[0]?.die();

  const load = startLoad(router.url, LOAD);
  await pause(500);
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect(blue[1]?.served).toBe(result.requests);
});

check('when a variant loses its last pod: its share goes to the others and comes back', async () => {
  const [blue, green] = [await scene.podsOf('blue', 1), await scene.podsOf('green', 1)];
  const router = await scene.start({ blue: 70, green: 30 }, { sticky: { header: 'x-user-id' } }, { blue, green });
  const before = await variantsByKey(router.url, 500);
  const load = startLoad(router.url, LOAD);

  router.setPods('green', []);
  const without = await router.untilApplied(({ slots }) => slots[1]?.buckets === 0 && slots[1].servers === 0);
  await pause(200);
  await green[0]?.leave();
  const fresh = await scene.podOf('green');
  router.setPods('green', [fresh]);
  await router.untilApplied(({ slots }) => slots[1]?.buckets === 3_000);
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect(without).toMatchObject({
    generation: 1,
    slots: [
      { buckets: BUCKETS, skipped: false },
      { servers: 0, skipped: true },
    ],
  });
  expect(await variantsByKey(router.url, 500)).toEqual(before);
});

check('when a variant loses its last pod without a word from the API server: the checks notice', async () => {
  const [blue, green] = [await scene.podsOf('blue', 1), await scene.podsOf('green', 1)];
  const router = await scene.start({ blue: 50, green: 50 }, {}, { blue, green });

  await green[0]?.die();
  const applied = await router.untilApplied(({ slots }) => slots[1]?.skipped === true);
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(router.url)));

  expect(applied.slots[0]?.buckets).toBe(BUCKETS);
  expect(answers.every(({ status, variant }) => status === 200 && variant === 'blue')).toBe(true);
});

check('when a router is told to go: busy and idle connections end with an answer, weights still change', async () => {
  const list = { blue: await scene.podsOf('blue', 2), green: await scene.podsOf('green', 2) };
  const leaving = await scene.start({ blue: 50, green: 50 }, {}, list);
  const staying = await scene.start({ blue: 50, green: 50 }, {}, list);
  let { traffic } = leaving.ports;
  const idle = new Agent({ keepAlive: true, maxSockets: 1 });
  await post(leaving.url, {}, idle);
  const load = startLoad(leaving.url, { ...LOAD, port: () => traffic });
  await pause(300);

  traffic = staying.ports.traffic; // the Service forgets the pod, and
  const agentEnded = leaving.stopAgent(); // the agent gets SIGTERM, while HAProxy's preStop hook sleeps
  await pause(700);
  const changed = await leaving.setWeights({ blue: 0, green: 100 });
  const stillOpen = await leaving.connections();
  const haproxyEnded = leaving.signalHaproxy('SIGUSR1');
  await pause(300);
  const last = await post(leaving.url, {}, idle);
  await Promise.all([haproxyEnded, agentEnded]);
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect(result.requests).toBeGreaterThan(2_000);
  expect(changed.generation).toBe(2);
  expect(stillOpen).toBeLessThan(LOAD.connections / 2);
  expect(last).toMatchObject({ status: 200, variant: 'green' });
});
