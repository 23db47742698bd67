import { describe, expect, it } from 'vitest';
import { together } from './together.ts';

describe('together', () => {
  it('ends with all results, in order', async () => {
    const results = await together(
      undefined,
      () => Promise.resolve('a'),
      () => Promise.resolve(2),
    );

    expect(results).toEqual(['a', 2]);
  });

  it('tells the others to stop when one fails, and waits for them', async () => {
    const order: string[] = [];
    const slow = async (signal: AbortSignal): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await Promise.resolve();
      order.push('slow has ended');
    };

    await together(undefined, slow, () => Promise.reject(new Error('broken'))).catch((error: unknown) => {
      order.push(String(error));
    });

    expect(order).toEqual(['slow has ended', 'Error: broken']);
  });

  it('passes on the signal of the caller', async () => {
    const controller = new AbortController();
    const work = together(controller.signal, async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    });

    controller.abort(new Error('enough'));

    await expect(work).rejects.toThrow('enough');
  });
});
