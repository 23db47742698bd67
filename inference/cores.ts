// How many cores the container of this process may use, by its cgroup: v2, or v1 where that is mounted.

const ROOT = '/sys/fs/cgroup';

/** Whole cores of the CPU limit, at least one; one without a limit, since the cores of a shared node are not ours to take. */
export function wholeCores(read: (path: string) => string): number {
  const [quota, period] = limitOf(read) ?? [];
  const cores = Math.floor(Number(quota) / Number(period));
  return cores > 1 && Number.isFinite(cores) ? cores : 1;
}

/** Microseconds in each period, and the period. Without a limit the first is "max" or -1. */
function limitOf(read: (path: string) => string): readonly string[] | undefined {
  const v2 = content(read, 'cpu.max')?.split(' ');
  if (v2 !== undefined) return v2;
  const [quota, period] = ['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'].map((name) => content(read, name));
  return quota === undefined || period === undefined ? undefined : [quota, period];
}

function content(read: (path: string) => string, name: string): string | undefined {
  try {
    return read(`${ROOT}/${name}`).trim();
  } catch {
    return undefined;
  }
}
