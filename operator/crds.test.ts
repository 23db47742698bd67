import { expect, it } from 'vitest';
import { isStale } from './crds.ts';

it('the CRD is checked in as the schemas give it', () => {
  expect(isStale(), 'crds/modeldeployment.yaml is stale: run `npm run crds`').toBe(false);
});
