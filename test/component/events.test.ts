// Events against the fake API server: which are written, which are held back.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventDetails } from '../../operator/kube/events.ts';
import { EventRecorder } from '../../operator/kube/events.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';

const EVENTS = '/apis/events.k8s.io/v1/namespaces/ml/events';
const { signal } = new AbortController();

let server: FakeApiServer;
let clock: FakeClock;
let recorder: EventRecorder;
let dropped: string[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  dropped = [];
  const onDropped = ({ note }: EventDetails, why: string) => dropped.push(`${note}: ${why}`);
  recorder = new EventRecorder({
    client: server.client(clock),
    clock,
    controller: 'example.dev/operator',
    instance: 'pod-1',
    onDropped,
  });
});

afterEach(() => server.stop());

function anEvent(overrides: Partial<EventDetails> = {}): EventDetails {
  const regarding = { apiVersion: 'v1', kind: 'Pod', namespace: 'ml', name: 'web', uid: 'u1' };
  return { regarding, type: 'Warning', reason: 'LoadFailed', action: 'Reload', note: 'it did not load', ...overrides };
}

async function record(...events: EventDetails[]): Promise<void> {
  for (const event of events) recorder.record(event, signal);
  await recorder.flush();
}

it('writes what kubectl describe shows', async () => {
  await record(anEvent());
  expect(server.store.list(EVENTS)).toMatchObject([
    {
      metadata: { namespace: 'ml' },
      eventTime: '2026-01-02T03:04:05.000000Z',
      reportingController: 'example.dev/operator',
      reportingInstance: 'pod-1',
      type: 'Warning',
      reason: 'LoadFailed',
      action: 'Reload',
      note: 'it did not load',
      regarding: { kind: 'Pod', name: 'web', uid: 'u1' },
    },
  ]);
});

it('writes the same again only after two minutes', async () => {
  await record(anEvent(), anEvent());
  await clock.advance(119_000);
  await record(anEvent());
  expect(server.store.list(EVENTS)).toHaveLength(1);
  await clock.advance(1000);
  await record(anEvent());
  expect(server.store.list(EVENTS)).toHaveLength(2);
});

it('tells events apart by their note', async () => {
  await record(anEvent({ note: 'r1' }), anEvent({ note: 'r1' }), anEvent({ note: 'r2' }));
  expect(server.store.list(EVENTS)).toHaveLength(2);
});

it('holds back a flood of one reason at one object, not the other objects', async () => {
  const flood = Array.from({ length: 10 }, (_, i) => anEvent({ note: `n${i}` }));
  await record(...flood);
  expect(server.store.list(EVENTS)).toHaveLength(5);
  expect(dropped).toEqual(['n5: rate', 'n6: rate', 'n7: rate', 'n8: rate', 'n9: rate']);
  await record(anEvent({ regarding: { ...anEvent().regarding, uid: 'u2' } }), anEvent({ reason: 'Other' }));
  expect(server.store.list(EVENTS)).toHaveLength(7);
  await clock.advance(60_000);
  await record(anEvent({ note: 'n10' }), anEvent({ note: 'n11' }));
  expect(server.store.list(EVENTS)).toHaveLength(8);
});

it('drops an event that cannot be written, and says nothing else', async () => {
  server.faults.push({ when: () => true, then: { status: 403 } });
  await record(anEvent());
  expect(dropped).toEqual(['it did not load: failed']);
  expect(server.requests).toHaveLength(1);
});

it('cuts a note that is too long', async () => {
  await record(anEvent({ note: 'x'.repeat(5000) }));
  expect(server.store.list(EVENTS)[0]?.['note']).toHaveLength(1024);
});
