// A request with its answer, as those who get copies of them are told.
import { answeringModel } from '../../inference/monitoring/exchange.ts';
import type { Exchange } from '../../inference/monitoring/exchange.ts';
import { aServedModel } from './a-served-model.ts';

export function anExchange(change: Partial<Exchange> = {}): Exchange {
  return {
    requestId: 'req-1',
    path: '/v1/models/retail:predict',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"instances":[[1,2]]}'),
    status: 200,
    answer: '{"predictions":["low"]}',
    model: answeringModel(aServedModel()),
    at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    ...change,
  };
}
