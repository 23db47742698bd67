import { expect, it } from 'vitest';
import { wholeCores } from './cores.ts';

/** A machine with these files. */
function reader(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT ${path}`);
    return content;
  };
}

const v1 = (quota: string) => ({
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': `${quota}\n`,
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
});
const v2 = (limit: string) => ({ '/sys/fs/cgroup/cpu.max': `${limit}\n` });

it.each([
  ['no cgroup', {}, 1],
  ['no limit in v2', v2('max 100000'), 1],
  ['no limit in v1', v1('-1'), 1],
  ['two cores in v2', v2('200000 100000'), 2],
  ['four cores in v1', v1('400000'), 4],
  ['another period', v2('150000 50000'), 3],
  ['half a core', v2('50000 100000'), 1],
  ['a core and a half', v2('150000 100000'), 1],
  ['nonsense', v2('two'), 1],
  ['a file of something else', { '/sys/fs/cgroup/cpu.max': '{"artifact": {}}' }, 1],
])('%s', (_, files, cores) => {
  expect(wholeCores(reader(files))).toBe(cores);
});
