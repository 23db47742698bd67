// Settings of the router's pod from its environment, checked once and frozen.
import * as z from 'zod';
import { LOG_LEVELS } from '../operator/logger.ts';
import { AGENT_PORT, StickyKey } from './contract.ts';

const port = z.coerce.number().int().min(1).max(65535);

const Environment = z
  .object({
    MODEL_DEPLOYMENT: z.string().min(1),
    POD_NAMESPACE: z.string().min(1),
    POD_IP: z.string().default('0.0.0.0'),
    TABLE_CONFIG_MAP: z.string().min(1),
    /** JSON as in the spec's `sticky`; absent: random for each request. */
    STICKY: z
      .string()
      .transform((text, context): unknown => {
        try {
          return JSON.parse(text);
        } catch {
          context.addIssue({ code: 'custom', message: 'STICKY is not JSON' });
          return z.NEVER;
        }
      })
      .pipe(StickyKey)
      .optional(),
    OVERRIDE_HEADER: z.string().min(1).optional(),
    RUN_DIRECTORY: z.string().default('/run/haproxy'),
    AGENT_PORT: port.default(AGENT_PORT),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
    KUBERNETES_SERVICE_HOST: z.string().min(1),
    KUBERNETES_SERVICE_PORT: port,
  })
  .transform((env) => ({
    modelDeployment: env.MODEL_DEPLOYMENT,
    namespace: env.POD_NAMESPACE,
    podIp: env.POD_IP,
    configMap: env.TABLE_CONFIG_MAP,
    ...(env.STICKY !== undefined && { sticky: env.STICKY }),
    ...(env.OVERRIDE_HEADER !== undefined && { overrideHeader: env.OVERRIDE_HEADER }),
    directory: env.RUN_DIRECTORY,
    agentPort: env.AGENT_PORT,
    logLevel: env.LOG_LEVEL,
    apiHost: env.KUBERNETES_SERVICE_HOST,
    apiPort: env.KUBERNETES_SERVICE_PORT,
  }));

export type Config = Readonly<z.infer<typeof Environment>>;

/** @throws z.ZodError that names what is missing or wrong. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return Object.freeze(Environment.parse(env));
}
