import { describe, expect, it } from 'vitest';
import { identityOf, isAlive, parseStartTicks } from './process.ts';

const FIELDS = Array.from({ length: 30 }, (_, index) => String(index + 3));

describe('parseStartTicks', () => {
  it('finds field 22 behind a name with blanks and parentheses', () => {
    const stat = `4711 (tmux: (a) b) S ${FIELDS.slice(1).join(' ')}`;

    expect(parseStartTicks(stat)).toBe('22');
  });

  it('takes a zombie for gone', () => {
    expect(parseStartTicks(`4711 (kube) Z ${FIELDS.slice(1).join(' ')}`)).toBeUndefined();
  });
});

describe('isAlive', () => {
  it('knows a running process by its number and start', async () => {
    const identity = await identityOf(process.pid);

    expect(await isAlive({ pid: process.pid, identity: identity ?? 'none' })).toBe(true);
  });

  it('does not take another process with the same number for it', async () => {
    expect(await isAlive({ pid: process.pid, identity: 'another boot/1' })).toBe(false);
  });
});
