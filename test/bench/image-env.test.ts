import { expect, it } from 'vitest';
import { imageEnv } from './image-env.ts';

it('is what the Dockerfile of the model server sets', () => {
  expect(imageEnv('Dockerfile.inference')).toMatchObject({
    NODE_OPTIONS: '--max-semi-space-size=2',
    MALLOC_ARENA_MAX: '2',
  });
});
