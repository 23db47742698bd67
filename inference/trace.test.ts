import { describe, expect, it } from 'vitest';
import { continueTrace } from './trace.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const OWN = '00f067aa0ba902b7';
const of = (header: unknown) => continueTrace(header, () => OWN);

it("goes on in the caller's trace with a span of its own", () => {
  expect(of(`00-${TRACE}-${PARENT}-01`)).toEqual({
    traceId: TRACE,
    spanId: OWN,
    parentSpanId: PARENT,
    header: `00-${TRACE}-${OWN}-01`,
  });
});

it.each([
  ['flags that are unknown', `00-${TRACE}-${PARENT}-fe`, '02'],
  ['a later version', `01-${TRACE}-${PARENT}-01`, '01'],
  ['a later version that has more to say', `cc-${TRACE}-${PARENT}-00-what-the-future-brings`, '00'],
])('answers as version 00 to %s', (_, header, flags) => {
  expect(of(header)?.header).toBe(`00-${TRACE}-${OWN}-${flags}`);
});

describe('ignores', () => {
  it.each([
    ['no header', undefined],
    ['two headers', [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`]],
    ['nothing', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['version 00 with more', `00-${TRACE}-${PARENT}-01-more`],
    ['a later version with more, but no dash', `01-${TRACE}-${PARENT}-01more`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['spaces', ` 00-${TRACE}-${PARENT}-01`],
    ['a long header', `01-${TRACE}-${PARENT}-01-${'x'.repeat(500)}`],
  ])('%s', (_, header) => {
    expect(of(header)).toBeUndefined();
  });
});
