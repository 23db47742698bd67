import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

function linesOf(log: (logger: ReturnType<typeof createLogger>) => void, level = 'info'): readonly string[] {
  const lines: string[] = [];
  log(createLogger(level, { write: (line: string) => void lines.push(line) }));
  return lines;
}

it('writes one JSON object a line, with level and time as words', () => {
  const [line] = linesOf((log) => log.info({ modelDeployment: 'ml/retail' }, 'weight changed'));

  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 'info',
    modelDeployment: 'ml/retail',
    msg: 'weight changed',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown,
  });
});

it('cuts secrets out wherever they are', () => {
  const lines = linesOf((log) => {
    log.info({ token: 'canary-1', nested: { credentials: { secretAccessKey: 'canary-2' } } }, 'opened');
    log.info({ headers: { authorization: 'Bearer canary-3' } }, 'called');
    log.child({ adminToken: 'canary-4' }).info('child');
  });

  expect(lines.join('')).not.toContain('canary');
});

it('keeps what a user wrote on its own line', () => {
  const lines = linesOf((log) => log.info({ key: 'a\nb\u001b[31m' }, 'resolved'));

  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toMatch(/[\n\u001b]/); // oxlint-disable-line no-control-regex -- it is the control characters that must not be there
});

it('is quiet below its level', () => {
  expect(linesOf((log) => log.debug('detail'))).toEqual([]);
});
