import { describe as suite, expect, it } from 'vitest';
import { asStep, describe, formatSeconds, ProgressDisplay, type ProgressEvent } from './progress.ts';

function aDisplay(isTTY: boolean) {
  const written: string[] = [];
  let nowMs = 0;
  const display = new ProgressDisplay({ write: (text) => void written.push(text), isTTY, columns: 60 }, () => nowMs);
  const advance = (ms: number): void => {
    nowMs += ms;
    display.tick();
  };
  return { display, written, advance };
}

suite('formatSeconds', () => {
  it.each([
    [0.123, '0.1 s'],
    [9.94, '9.9 s'],
    [59.6, '1 min'],
    [95, '1 min 35 s'],
    [240, '4 min'],
  ])('says %d as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

suite('describe', () => {
  it('says how far the step is and how long it may take', () => {
    const event = { step: 'Compiling', fraction: 0.429, detail: '3 of 7', expectedSeconds: 240 };

    expect(describe(event, 100_000)).toBe('Compiling 42 % (3 of 7), 1 min 40 s of about 4 min');
  });

  it('says nothing about what is not known', () => {
    expect(describe({ step: 'Waiting' }, 0)).toBe('Waiting');
  });
});

suite('the display without a terminal', () => {
  it('prints a line when a step begins and when it ends', () => {
    const { display, written, advance } = aDisplay(false);

    display.report({ step: 'Building', expectedSeconds: 5 });
    advance(2000);
    display.report({ step: 'Building', done: true });

    expect(written).toEqual(['Building, about 5 s …\n', 'Building: 2 s\n']);
  });

  it('breaks the silence of a long step every ten seconds, with its latest state', () => {
    const { display, written, advance } = aDisplay(false);

    display.report({ step: 'Building' });
    display.report({ step: 'Building', fraction: 0.5 });
    advance(9_000);
    advance(1_000);
    advance(9_000);

    expect(written).toEqual(['Building …\n', 'Building 50 %, 10 s …\n']);
  });
});

suite('the display on a terminal', () => {
  it('keeps all running steps on one line that is never wider than the terminal', () => {
    const { display, written } = aDisplay(true);

    display.report({ step: 'Compiling Kubernetes v1.36.3' });
    display.report({ step: 'Pulling an image with a rather long name' });

    const line = written.at(-1)?.replace('\r\u001b[2K', '');
    expect(line).toMatch(/^Compiling Kubernetes v1\.36\.3 · Pulling an image/);
    expect(line).toHaveLength(59);
  });

  it('leaves a line for each finished step', () => {
    const { display, written, advance } = aDisplay(true);

    display.report({ step: 'Building' });
    advance(1500);
    display.report({ step: 'Building', done: true, detail: 'failed' });

    expect(written).toContain('\r\u001b[2KBuilding (failed): 1.5 s\n');
  });
});

suite('asStep', () => {
  it('marks a step that throws as failed and passes the error on', async () => {
    const events: ProgressEvent[] = [];

    const work = asStep(
      (event) => void events.push(event),
      { step: 'Building' },
      () => Promise.reject(new Error('no')),
    );

    await expect(work).rejects.toThrow('no');
    expect(events.at(-1)).toEqual({ step: 'Building', done: true, detail: 'failed' });
  });
});
