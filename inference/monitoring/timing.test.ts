import { expect, it } from 'vitest';
import { Timing } from './timing.ts';

it('counts durations up to each bound, in the text that Prometheus reads', () => {
  const timing = new Timing('request_predict_seconds', 'Time to run the model');

  for (const seconds of [0, 0.00005, 0.000051, 0.75, 11]) timing.observe(seconds);

  const lines = timing.text('re"tail').trimEnd().split('\n');
  expect(lines.slice(0, 4)).toEqual([
    '# HELP request_predict_seconds Time to run the model',
    '# TYPE request_predict_seconds histogram',
    'request_predict_seconds_bucket{le="0.00005",model_name="re\\"tail"} 2',
    'request_predict_seconds_bucket{le="0.0001",model_name="re\\"tail"} 3',
  ]);
  expect(lines.slice(-4)).toEqual([
    'request_predict_seconds_bucket{le="10",model_name="re\\"tail"} 4',
    'request_predict_seconds_bucket{le="+Inf",model_name="re\\"tail"} 5',
    'request_predict_seconds_sum{model_name="re\\"tail"} 11.750101',
    'request_predict_seconds_count{model_name="re\\"tail"} 5',
  ]);
});
