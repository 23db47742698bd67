import { expect, it } from 'vitest';
import { OPERATOR_USER } from '../../demo/audit.ts';
import { evaluate } from './steady.ts';

it('counts writes without the lease, and reads a minute', () => {
  const entry = (verb: string, resource: string, user = OPERATOR_USER) => ({ verb, resource, user, name: 'x' });
  const { rows } = evaluate(
    [
      entry('update', 'leases'),
      entry('update', 'leases'),
      entry('patch', 'modeldeployments'),
      entry('watch', 'pods'),
      entry('watch', 'configmaps', 'system:serviceaccount:ml:retail--router'),
      entry('get', 'pods', 'admin'),
    ],
    2,
  );

  expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
    minutes: 2,
    operator_writes: 1,
    operator_reads_per_minute: 0.5,
    operator_lease_requests_per_minute: 1,
    router_requests_per_minute: 0.5,
  });
});
