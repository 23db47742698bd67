import { expect, it } from 'vitest';
import { mountsBelow } from './mounts.ts';

it('lists the mounts at and below a folder, the deepest first, and no neighbours', () => {
  const mountinfo = [
    '22 1 8:1 / / rw - ext4 /dev/vda rw',
    '30 22 0:5 / /run/cluster rw - tmpfs tmpfs rw',
    '31 30 0:6 / /run/cluster/pods/a\\040b rw - tmpfs tmpfs rw',
    '32 22 0:7 / /run/cluster2 rw - tmpfs tmpfs rw',
    '',
  ].join('\n');

  expect(mountsBelow(mountinfo, '/run/cluster')).toEqual(['/run/cluster/pods/a b', '/run/cluster']);
});
