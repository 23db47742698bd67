import { describe, expect, it } from 'vitest';
import { HelpWanted, noMoreWords, oneOf, readCommandLine, UsageError } from './command-line.ts';

const OPTIONS = {
  keep: { type: 'boolean' },
  json: { type: 'string' },
  only: { type: 'string', multiple: true },
} as const;

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'none';
}

describe('readCommandLine', () => {
  it('reads options and words', () => {
    const { values, words } = readCommandLine(['up', '--keep', '--json', 'f', '--only', 'a', '--only=b', 'x'], OPTIONS);

    expect(values).toEqual({ keep: true, json: 'f', only: ['a', 'b'] });
    expect(words).toEqual(['up', 'x']);
  });

  it('takes what follows -- for words', () => {
    expect(readCommandLine(['--', '--keep'], OPTIONS)).toEqual({ values: {}, words: ['--keep'] });
  });

  it.each([[['--help']], [['-h']], [['help']], [['up', '--help']], [['--wrong', '--help']]])(
    'is asked for help by %j',
    (args) => {
      expect(() => readCommandLine(args, OPTIONS)).toThrow(HelpWanted);
    },
  );

  it.each([
    [['--wrong'], 'There is no option --wrong; there are --keep, --json, --only and --help.'],
    [['--wrong=1'], 'There is no option --wrong; there are --keep, --json, --only and --help.'],
    [['--no-keep'], 'There is no option --no-keep; there are --keep, --json, --only and --help.'],
    [['--constructor'], 'There is no option --constructor; there are --keep, --json, --only and --help.'],
    [['-x'], 'There is no option -x; there are --keep, --json, --only and --help.'],
    [['--keep=1'], '--keep takes no value, not "1".'],
    [['--json'], '--json needs a value.'],
    [['--json='], '--json needs a value.'],
    [['--json', '--keep'], '--json needs a value.'],
  ])('refuses %j in one line', (args, problem) => {
    expect(problemOf(() => readCommandLine(args, OPTIONS))).toBe(problem);
  });
});

describe('words', () => {
  it('is the word when it is known', () => {
    expect(oneOf('command', 'down', ['up', 'down'])).toBe('down');
  });

  it('names a wrong word and the right ones', () => {
    expect(problemOf(() => oneOf('command', 'foo', ['up', 'down', 'status']))).toBe(
      'There is no command "foo"; there are up, down and status.',
    );
    expect(problemOf(() => oneOf('suite', 'foo', ['reload']))).toBe('There is no suite "foo"; there is reload.');
    expect(problemOf(() => oneOf('--tier', 'foo', ['api', 'cluster']))).toBe(
      '--tier does not take "foo"; there are api and cluster.',
    );
  });

  it('refuses words that mean nothing', () => {
    expect(problemOf(() => noMoreWords(['down'], 1))).toBe('none');
    expect(problemOf(() => noMoreWords(['down', 'now'], 1))).toBe('Nothing more is expected after "down", not "now".');
    expect(problemOf(() => noMoreWords(['now'], 0))).toBe('No word is expected, not "now".');
  });
});
