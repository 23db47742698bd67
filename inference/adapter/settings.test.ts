import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import { adapterSettings } from './settings.ts';

const on = { ADAPTER: 'true' };

describe('the settings of an adapter', () => {
  it('are none unless it is switched on', () => {
    expect(adapterSettings({ ADAPTER_PORT: '9090' })).toBeUndefined();
    expect(loadConfig({})).not.toHaveProperty('adapter');
  });

  it('fit the Python service by default', () => {
    expect(adapterSettings(on)).toEqual({
      port: 8080,
      modelPath: '/var/lib/switchyard/model/model.tar.gz',
      reload: { method: 'POST', path: '/model/reload' },
      info: { path: '/model/info', versionField: 'version', loadedField: 'loaded_at' },
      readyPath: '/ready',
      reloadMs: 60_000,
      unreadyMs: 1_000,
      checkMs: 5_000,
      readModel: false,
    });
  });

  it('can say that there is no reload call and nothing that tells the version', () => {
    const settings = adapterSettings({ ...on, ADAPTER_RELOAD: 'none', ADAPTER_INFO: 'None' });

    expect(settings).not.toHaveProperty('reload');
    expect(settings).not.toHaveProperty('info');
  });

  it.each([
    ['PUT /load?force=1', { method: 'PUT', path: '/load?force=1' }],
    ['/load', { method: 'POST', path: '/load' }],
  ])('take the reload call %s', (value, reload) => {
    expect(adapterSettings({ ...on, ADAPTER_RELOAD: value })).toMatchObject({ reload });
  });

  it.each([
    ['ADAPTER_RELOAD', 'http://elsewhere/load'],
    ['ADAPTER_RELOAD', 'DELETE /load'],
    ['ADAPTER_INFO', 'model/info'],
    ['ADAPTER_READY', '/re ady'],
    ['ADAPTER_VERSION_FIELD', '$.version'],
    ['ADAPTER_MODEL_PATH', 'model/model.tar.gz'],
    ['ADAPTER_MODEL_PATH', '/models/'],
    ['ADAPTER_PORT', '0'],
    ['ADAPTER_CHECK_SECONDS', 'often'],
  ])('refuse %s=%s by name', (name, value) => {
    expect(() => adapterSettings({ ...on, [name]: value })).toThrow(name);
  });
});

describe('the ports of an adapter', () => {
  it('leave the public port to the other container', () => {
    expect(loadConfig(on)).toMatchObject({ port: 8082, adminPort: 8081 });
    expect(loadConfig({ ...on, PORT: '9000', GRPC_PORT: '0' }).port).toBe(9000);
  });

  it('are not the one of the other container', () => {
    expect(() => loadConfig({ ...on, ADAPTER_PORT: '8082' })).toThrow('PORT: 8082 is ADAPTER_PORT');
  });
});
