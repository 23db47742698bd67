import { expect, it } from 'vitest';
import { anExchange } from '../../test/support/an-exchange.ts';
import { cloudEvents } from './cloud-event.ts';
import type { Exchange } from './exchange.ts';

const ORIGIN = { modelDeployment: 'retail', namespace: 'ml', variant: 'blue' };

function events(
  change: Partial<Exchange> = {},
  redacted: readonly string[] = [],
  origin: Parameters<typeof cloudEvents>[1] = ORIGIN,
) {
  const texts = cloudEvents(anExchange(change), origin, { redacted: new Set(redacted), newId: () => 'new-id' });
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

it('are the request and the answer, with all that CloudEvents and KServe ask for', () => {
  const common = {
    specversion: '1.0',
    id: 'new-id',
    source: '/ml/retail/blue',
    subject: '/v1/models/retail:predict',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    inferenceservicename: 'retail',
    namespace: 'ml',
    component: 'predictor',
    endpoint: 'blue',
    requestid: 'req-1',
    modelversion: '1.0.0',
  };

  expect(events()).toEqual([
    { ...common, type: 'org.kubeflow.serving.inference.request', data: { instances: [[1, 2]] } },
    { ...common, type: 'org.kubeflow.serving.inference.response', statuscode: 200, data: { predictions: ['low'] } },
  ]);
});

it('have names of attributes that the specification allows', () => {
  const traced = events({ headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
  const names = traced.flatMap((event) => Object.keys(event));

  expect(names).toContain('traceparent');
  expect(names.filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([]);
});

it("take the caller's Ce-Id where it is printable", () => {
  const ids = (id: string) => events({ headers: { 'ce-id': id } }).map((event) => event['id']);

  expect(ids('order-7')).toEqual(['order-7', 'order-7']);
  expect(ids('two words')).toEqual(['new-id', 'new-id']);
  expect(ids('x'.repeat(129))).toEqual(['new-id', 'new-id']);
});

it('are without the named fields, columns of rows too', () => {
  const [request, response] = events({ answer: '{"predictions":["low"],"b":7}' }, ['b']);

  expect(request?.['data']).toEqual({ instances: [[1, null]] });
  expect(response?.['data']).toEqual({ predictions: ['low'], b: '[redacted]' });
});

it('are without a refusal that may quote what is redacted', () => {
  const refusal = { status: 422, answer: '{"detail":[{"loc":["body","b"],"input":"secret"}]}' };

  expect(events(refusal, ['b'])[1]).not.toHaveProperty('data');
  expect(events(refusal)[1]).toHaveProperty('data');
});

it.each([['{"a":'], [Buffer.from([0x22, 0xff, 0x22])]])('have no data of a body that is no JSON', (body) => {
  expect(events({ body: Buffer.from(body) })[0]).not.toHaveProperty('data');
});

it('stand without a namespace or a model', () => {
  const [request] = events({ model: undefined }, [], { ...ORIGIN, namespace: undefined });

  expect(request).toMatchObject({ source: '/default/retail/blue' });
  expect(request).not.toHaveProperty('namespace');
  expect(request).not.toHaveProperty('modelversion');
});
