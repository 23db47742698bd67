import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePythonJson } from '../validation/python-json.ts';
import type { JsonValue } from '../validation/python-json.ts';
import { compile } from './compile.ts';
import { ExpressionError, MAX_STEPS } from './frame.ts';
import { ExpressionParser, ExpressionSyntaxError } from './parse.ts';

/** The value of an expression over `body`. */
function valueOf(text: string, body: JsonValue = {}, steps = MAX_STEPS): JsonValue {
  const parser = new ExpressionParser();
  parser.declare('body', 'dyn');
  const evaluate = compile(parser.parse(text).node, { places: new Map([['body', 0]]), next: 1, parts: { count: 0 } });
  return evaluate({ slots: [body], steps });
}

describe('an expression', () => {
  it.each<[string, JsonValue]>([
    ['1 + 2 * 3 - 4 / 8', 6.5],
    ['7 / 2', 3.5],
    ['-7 % 3', -1],
    ['0x1F + 1e2', 131],
    ['"a" + "b"', 'ab'],
    ['[1] + [2, "x"]', [1, 2, 'x']],
    ['1 < 2 && 2.5 >= 2 && "a" < "b" && !(1 == 2)', true],
    ['1 == 1.0 && dyn("1") != 1 && null == null', true],
    ['[1, {"a": [2]}] == [1, {"a": [2.0]}]', true],
    ['{"a": 1, "b": 2} == {"b": 2, "a": 1} && {"a": 1} != {"b": 1} && dyn({}) != []', true],
    ['2 in [1, 2] && !("x" in ["y"]) && "k" in {"k": 0}', true],
    ['true || body.nothing', true],
    ['false && body.nothing', false],
    ['body == {} ? "empty" : "full"', 'empty'],
    ['{"red": 1, "blue": 2}["blue"]', 2],
    ['[10, 20][1]', 20],
    ['[1, 2, 3].map(x, x * 2)', [2, 4, 6]],
    ['[1, 2, 3].map(x, x > 1, x * 2)', [4, 6]],
    ['[1, 2, 3].filter(x, x != 2)', [1, 3]],
    ['[1, 2].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x > 1)', true],
    ['dyn([]).all(x, x == 1) && !dyn([]).exists(x, x == 1) && ![1, 1].exists_one(x, x == 1)', true],
    [
      '[1, 2].map(x, [10, 20].map(y, [5].map(x, x + y)))',
      [
        [[15], [25]],
        [[15], [25]],
      ],
    ],
    ['[1, 2].map(x, [3].map(x, x)[0] + x)', [4, 5]],
    ['{"b": 1, "a": 2}.map(k, k)', ['b', 'a']],
    ['sum([1, 2.5, true])', 4.5],
    ['mean([1, 2]) + mean([])', 1.5],
    ['min([3, 1, 2]) - max([3, 5]) + max([])', -4],
    ['ratio(1, 4) + ratio(1, 0) + ratio(1, -1)', 0.25],
    ['values({"b": 1, "a": 2}) + values([3])', [1, 2, 3]],
    ['get({"a": null}, "a", 7)', null],
    ['get({"a": 1}, "b", 7)', 7],
    ['index_of(["s", "m", "l"], "m") + index_of([], 1)', 0],
    ['size("a😀") + size([1]) + size({"a": 1}) + "ab".size()', 6],
    ['double("1e3") + double(true) + int(2.9) + int(-2.9)', 1001],
    ['string(2) + string(2.5) + string(true)', '22.5true'],
    ['" Ab ".trim().lowerAscii() + "c".upperAscii()', 'abC'],
    ['"abc".contains("b") && "abc".startsWith("a") && "abc".endsWith("c")', true],
    ['abs(-2) + floor(1.5) + ceil(1.5) + sqrt(4) + exp(0) + log(1)', 8],
    ['epoch_seconds("1970-01-02") + epoch_seconds("1970-01-01T01:00:00.5+01:00")', 86_400.5],
  ])('%s', (text, expected) => {
    expect(valueOf(text)).toEqual(expected);
  });

  it('finds its way in a body, and says what is missing', () => {
    const body = { user: { tags: ['a'], name: null } };

    expect(valueOf('has(body.user.tags) && !has(body.user.age) && !has(body.user.tags.x)', body)).toBe(true);
    expect(valueOf('body["user"].tags[0]', body)).toBe('a');
    expect(() => valueOf('body.user.age', body)).toThrow('"age" is missing');
    expect(() => valueOf('body.user.name.first', body)).toThrow('null has no "first"');
    expect(() => valueOf('body.user.tags[1]', body)).toThrow('a list of 1 has no place 1');
    expect(() => valueOf('body.user.tags[0.5]', body)).toThrow('a list of 1 has no place 0.5');
  });

  it('goes through a body in the order of its text', () => {
    const body = parsePythonJson('{"10": 1, "9": 2, "a": 3}');

    expect(valueOf('values(body)', body)).toEqual([1, 2, 3]);
    expect(valueOf('body.map(k, k)', body)).toEqual(['10', '9', 'a']);
  });

  it.each([
    ['body + 1', 'an object + a number cannot be computed'],
    ['body.text * 2', 'a text * a number cannot be computed'],
    ['body.text < 2', 'a text < a number cannot be computed'],
    ['1 in body.text', 'a number in a text cannot be computed'],
    ['-body.text', 'a text is no number'],
    ['!body.text', 'a text is neither true nor false'],
    ['sum(body.list)', 'a text is no number'],
    ['body.list.map(x, x.y)', 'a text has no "y"'],
    ['body.text.map(x, x)', 'a text is no list'],
    ['values(body.text)', 'a text has no values'],
    ['get(body.list, "a", 1)', 'a list has no "a"'],
    ['double("0x10")', '"0x10" is no number'],
    ['string(body)', 'an object cannot be made a text'],
    ['{body.list: 1}', 'a list is no key'],
    ['epoch_seconds("yesterday")', '"yesterday" is no ISO 8601 time'],
    ['epoch_seconds("2024-02-30")', '"2024-02-30" is no ISO 8601 time'],
    ['body.text.contains(body.list)', 'a list is no text'],
  ])('%s is refused for a body that does not fit', (text, message) => {
    expect(() => valueOf(text, { text: 'x', list: ['x'] })).toThrow(ExpressionError);
    expect(() => valueOf(text, { text: 'x', list: ['x'] })).toThrow(message);
  });

  it.each([
    'body.',
    'nothing',
    'nothing(1)',
    'sum(1)',
    '"a" + 1',
    'size()',
    'sum([1], [2])',
    'cel.bind(a, 1, a)',
    '"a".matches("(a+)+$")',
    '"a,b".split(",")',
    'b"x"',
    '1u',
    'type(1) == int',
    'google.protobuf.Timestamp',
    'timestamp("2024-01-01T00:00:00Z").getHours()',
    'body.?a',
    'body.map(1, 1)',
    'has(body)',
    '__proto__',
    '1 ? 2 : 3',
    `${'('.repeat(60)}1${')'.repeat(60)}`,
    `1${'+1'.repeat(600)}`,
    `"${'x'.repeat(4_096)}"`,
    '!'.repeat(4_000),
  ])('%s is refused when it is read', (text) => {
    expect(() => valueOf(text)).toThrow(ExpressionSyntaxError);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('does not reach %s of a prototype', (key) => {
    expect(() => valueOf(`body.${key}`)).toThrow('is missing');
    expect(() => valueOf(`body["${key}"]`)).toThrow('is missing');
    expect(() => valueOf(`[dyn(1)].map(x, x.${key})`)).toThrow('has no');
    expect(valueOf(`get(body, "${key}", 3)`)).toBe(3);
    expect(valueOf(`has(body.${key}) || "${key}" in body`)).toBe(false);
    expect(valueOf(`body.${key}`, JSON.parse(`{"${key}": 5}`) as JsonValue)).toBe(5);
  });
});

describe('the work of a request', () => {
  const list = Array.from({ length: 1_000 }, (_, at) => at);
  const long = 'a'.repeat(100_000);

  it.each([
    ['loops in loops', 'body.all(a, body.all(b, body.all(c, true)))', list],
    [
      'loops over a literal',
      '[1,2].all(a,[1,2].all(b,[1,2].all(c,[1,2].all(d,[1,2].all(e,[1,2].all(f,[1,2].all(g,[1,2].all(h,[1,2].all(i,[1,2].all(j,[1,2].all(k,[1,2].all(l,[1,2].all(m,[1,2].all(n,[1,2].all(o,[1,2].all(p,[1,2].all(q,[1,2].all(r,[1,2].all(s,[1,2].all(t,[1,2].all(u,true)))))))))))))))))))))',
      null,
    ],
    ['lists that double', `[body]${'.map(a, a + a)'.repeat(20)}`, list],
    ['texts that double', `[body]${'.map(a, a + a)'.repeat(20)}`, long],
    ['searches', 'body.list.exists(x, body.text.contains("b"))', { list, text: long.repeat(4) }],
    ['a long search', 'body.contains(body + "b")', long],
    [
      'comparisons of texts',
      'body.list.exists(x, body.text == body.other)',
      { list, text: long.repeat(4), other: `${long.repeat(4)}b` },
    ],
    [
      'comparisons of lists',
      'body.list.exists(x, body.a != body.b)',
      { list, a: list.concat(list, list, list, list, list), b: list.concat(list, list, list, list, list) },
    ],
    [
      'sizes of objects',
      'body.list.exists(x, body.list.exists(y, size(body.map) == 0))',
      { list, map: Object.fromEntries(list.map((at) => [`k${at}`, at])) },
    ],
    ['objects', 'body.exists(x, body.exists(y, {"a": 1} == {"a": 2}))', list],
    ['times', 'body.exists(x, body.exists(y, epoch_seconds("2024-01-01") == 0.0))', list],
    ['sums', 'body.exists(x, body.exists(y, sum(body) < 0))', list],
  ])('is bounded for %s', (_, text, body) => {
    expect(() => valueOf(text, body)).toThrow(`this body takes more than ${MAX_STEPS} steps`);
  });

  it('is counted before it is done', () => {
    expect(() => valueOf('body.map(x, x + 1)', list, 2_999)).toThrow('steps');
    expect(valueOf('size(body.map(x, x + 1))', list, 3_000)).toBe(1_000);
  });
});

it("gives the answers of the library's own evaluator, wherever all numbers are doubles", () => {
  const leaf = fc.constantFrom(
    '1.5',
    '2.0',
    '-3.0',
    '0.0',
    'body.a',
    'body.b',
    'body.none',
    '"x"',
    'true',
    'body.list',
    'body.map',
  );
  const { text } = fc.letrec<{ text: string }>((tie) => ({
    text: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc
        .tuple(tie('text'), fc.constantFrom('+', '-', '*', '/', '<', '>=', '==', '!='), tie('text'))
        .map((parts) => `(${parts.join(' ')})`),
      fc.tuple(tie('text'), tie('text'), tie('text')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc
        .tuple(tie('text'), fc.constantFrom('map', 'filter', 'all', 'exists', 'exists_one'), tie('text'))
        .map(([a, name, b]) => `(${a}).${name}(x, ${b})`),
      tie('text').map((a) => `[${a}]`),
      tie('text').map((a) => `!${a}`),
    ),
  }));
  const theirs = new Environment({ homogeneousAggregateLiterals: false }).registerVariable('body', 'dyn');
  const body = { a: 4.5, b: -1.5, list: [1.5, 2.5, 'x'], map: { k: 1.5, l: 'x' } };
  let compared = 0;

  fc.assert(
    fc.property(text, (expression) => {
      const ours = outcome(() => valueOf(expression, body));
      const other = outcome(() => theirs.evaluate(expression, { body }) as JsonValue);
      if (ours === undefined || other === undefined) return;
      compared += 1;
      expect(ours).toEqual(other);
    }),
    { numRuns: 600, seed: 7 },
  );
  expect(compared).toBeGreaterThan(100);
});

function outcome(run: () => JsonValue): JsonValue | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
