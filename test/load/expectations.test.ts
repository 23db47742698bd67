import { describe, expect, it } from 'vitest';
import { Expectations, judge, type Answer } from './expectations.ts';

const basket = {
  body: '{}',
  answers: { 'blue-1': { sensitivity: 'Low', confidence: 0.609246129776021 } },
};
const prediction = { sensitivity: 'Low', confidence: 0.609246129776021, model_version: 'blue-1', prediction_id: 'x' };

function anAnswer(change: Partial<Answer> = {}, said: object = {}): Answer {
  const body = JSON.stringify({ ...prediction, ...said });
  return { status: 200, variant: 'blue', version: 'blue-1', body, ...change };
}

const allowing =
  (...versions: readonly string[]) =>
  (variant: string) =>
    new Set(variant === 'blue' ? versions : []);

describe('judge', () => {
  it('accepts the expected label, confidence and version', () => {
    expect(judge(anAnswer(), basket, allowing('blue-1'))).toEqual({ ok: true, variant: 'blue', version: 'blue-1' });
  });

  it.each<[string, Answer]>([
    ['status 503', anAnswer({ status: 503 })],
    ['no X-Model-Variant', anAnswer({ variant: undefined })],
    ['the body is no prediction', anAnswer({ body: '{"sensitivity": "Lo' })],
    ['the body is no prediction', anAnswer({}, { confidence: '0.6' })],
    ['X-Model-Version missing on an answer of blue-1', anAnswer({ version: undefined })],
    ['X-Model-Version blue-2 on an answer of blue-1', anAnswer({ version: 'blue-2' })],
    ['blue answered with version blue-2', anAnswer({ version: 'blue-2' }, { model_version: 'blue-2' })],
    ['green answered with version blue-1', anAnswer({ variant: 'green' })],
    ['blue-1 predicted something else than scikit-learn', anAnswer({}, { sensitivity: 'High' })],
    ['blue-1 predicted something else than scikit-learn', anAnswer({}, { confidence: 0.6092461297760211 })],
  ])('refuses: %s', (reason, answer) => {
    expect(judge(answer, basket, allowing('blue-1'))).toEqual({ ok: false, reason });
  });
});

describe('Expectations', () => {
  it('allows what was right at any time between start and end of a request', () => {
    const expectations = new Expectations({ phase: 'a', versions: { blue: ['1'] }, gained: [], settled: true });
    const early = expectations.index;
    expectations.add({ phase: 'a', versions: { blue: ['1', '2'] }, gained: [], settled: true });
    expectations.add({ phase: 'a', versions: { blue: ['2'] }, gained: [], settled: true });

    expect(expectations.allowedSince(early, 'blue')).toEqual(new Set(['1', '2']));
    expect(expectations.allowedSince(expectations.index, 'blue')).toEqual(new Set(['2']));
    expect(expectations.allowedSince(early, 'green')).toEqual(new Set());
  });
});
