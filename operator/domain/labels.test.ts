import { expect, it } from 'vitest';
import { labelsFor, routerSelector, selectorText, variantSelector } from './labels.ts';

it('labels carry what the selectors ask for', () => {
  const model = labelsFor({ name: 'retail', component: 'model', variant: 'blue' });
  const router = labelsFor({ name: 'retail', component: 'router' });

  expect(model).toMatchObject(variantSelector('retail', 'blue'));
  expect(router).toMatchObject(routerSelector('retail'));
});

it('a selector of one variant picks no router pod and no other variant', () => {
  const selector = variantSelector('retail', 'blue');
  const picks = (labels: Readonly<Record<string, string>>) =>
    Object.entries(selector).every(([key, value]) => labels[key] === value);

  expect(picks(labelsFor({ name: 'retail', component: 'model', variant: 'green' }))).toBe(false);
  expect(picks(labelsFor({ name: 'retail', component: 'router' }))).toBe(false);
  expect(picks(labelsFor({ name: 'other', component: 'model', variant: 'blue' }))).toBe(false);
});

it('writes a selector for a list call in a fixed order', () => {
  expect(selectorText({ b: '2', a: '1' })).toBe('a=1,b=2');
});

it('names a revision only where it is asked to', () => {
  expect(labelsFor({ name: 'retail', component: 'model', variant: 'blue' })).not.toHaveProperty(
    'switchyard.dev/revision',
  );
  expect(labelsFor({ name: 'retail', component: 'model', variant: 'blue', revision: 'a1b2c3d4' })).toHaveProperty(
    ['switchyard.dev/revision'],
    'a1b2c3d4',
  );
});
