import { describe, expect, it } from 'vitest';
import { readServed, readSuccessCount } from './pods.ts';

describe('readServed', () => {
  it('takes the count of the last line that has one, between lines of other kinds', () => {
    const log = '{"msg":"stopped","served":1}\nnot json\n{"level":30,"msg":"stopped","served":4711}\n{"msg":"bye"}\n';

    expect(readServed(log)).toBe(4711);
  });

  it('knows nothing of a pod that was killed', () => {
    expect(readServed('{"msg":"shutting down"}\n')).toBeUndefined();
  });
});

describe('readSuccessCount', () => {
  it('adds up the series of all models', () => {
    const text = [
      '# TYPE model_infer_request_success gauge',
      'model_infer_request_success{model_name="retail"} 12',
      'model_infer_request_success{model_name="other"} 30',
      'model_infer_request_success_total 5',
      'model_infer_request_failure{model_name="retail"} 1',
    ].join('\n');

    expect(readSuccessCount(text)).toBe(42);
  });

  it('tells a missing series from none served', () => {
    expect([readSuccessCount('model_infer_request_success 0\n'), readSuccessCount('')]).toEqual([0, undefined]);
  });
});
