// Why containers crash: the end of what they said.
import * as z from 'zod';

const Container = z.object({
  name: z.string(),
  state: z.object({ waiting: z.object({ reason: z.string().optional() }).optional() }).default({}),
});

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z.object({
        containerStatuses: z.array(Container).default([]),
        initContainerStatuses: z.array(Container).default([]),
      }),
    }),
  ),
});

export interface Crashing {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const LINES = 5;
/** Replicas crash for the same reason. */
const MOST_CONTAINERS = 8;

/** Containers in CrashLoopBackOff, of the JSON that `kubectl get pods` gives; at most {@link MOST_CONTAINERS}. Throws when it is none. */
export function crashingContainers(json: string): Crashing[] {
  return Pods.parse(JSON.parse(json))
    .items.flatMap(({ metadata, status }) =>
      [...status.initContainerStatuses, ...status.containerStatuses]
        .filter(({ state }) => state.waiting?.reason === 'CrashLoopBackOff')
        .map(({ name }) => ({ namespace: metadata.namespace, pod: metadata.name, container: name })),
    )
    .slice(0, MOST_CONTAINERS);
}

/** The last lines of each container that crashes again and again; empty when none does, or when it cannot be had. `kubectl` gives its output. */
export async function describeCrashes(kubectl: (args: readonly string[]) => Promise<string>): Promise<string> {
  try {
    const crashing = crashingContainers(await kubectl(['get', 'pods', '--all-namespaces', '--output=json']));
    const texts = crashing.map(async ({ namespace, pod, container }) => {
      const args = ['logs', '--namespace', namespace, pod, '--container', container, `--tail=${LINES}`];
      const log = (await kubectl(args).catch(() => '')).trimEnd();
      const lines = (log === '' ? 'nothing' : log).split('\n').map((line) => `  ${line}\n`);
      return `${namespace}/${pod} container ${container} crashes again and again. Its last lines:\n${lines.join('')}`;
    });
    return (await Promise.all(texts)).join('');
  } catch {
    return '';
  }
}
