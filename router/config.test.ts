import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';

const ENV = {
  MODEL_DEPLOYMENT: 'retail',
  POD_NAMESPACE: 'ml',
  POD_IP: '10.0.0.9',
  TABLE_CONFIG_MAP: 'retail--router',
  KUBERNETES_SERVICE_HOST: '10.203.0.1',
  KUBERNETES_SERVICE_PORT: '443',
};

describe('loadConfig', () => {
  it('takes what the Deployment sets', () => {
    const config = loadConfig({ ...ENV, STICKY: '{"header":"x-user-id"}', OVERRIDE_HEADER: 'x-v' });

    expect(config).toMatchObject({
      sticky: { header: 'x-user-id' },
      overrideHeader: 'x-v',
      apiPort: 443,
      agentPort: 8404,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('leaves out what is not set', () => {
    expect(loadConfig(ENV)).not.toHaveProperty('sticky');
  });

  it.each([
    ['STICKY', '{'],
    ['STICKY', '{"header":"a","cookie":"b"}'],
    ['TABLE_CONFIG_MAP', ''],
    ['KUBERNETES_SERVICE_PORT', 'none'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s by name', (name, value) => {
    expect(() => loadConfig({ ...ENV, [name]: value })).toThrow(name);
  });
});
