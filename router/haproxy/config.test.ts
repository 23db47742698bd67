import { describe, expect, it } from 'vitest';
import { SLOTS } from '../contract.ts';
import { bindsFor, endpointOf, mapsOf, renderConfig } from './config.ts';
import type { RouterSettings } from './config.ts';

function settings(overrides: Partial<RouterSettings> = {}): RouterSettings {
  return { name: 'retail', directory: '/run/haproxy', ...bindsFor('10.0.0.9'), ...overrides };
}

describe('renderConfig', () => {
  it('has every slot, with the known servers in theirs', () => {
    const text = renderConfig(settings(), [{ slot: 2, name: 'uid-1', address: '10.0.0.1', port: 8080 }]);

    expect(text.match(/^backend slot\d+$/gm)).toHaveLength(SLOTS);
    expect(text).toContain('backend slot2\n  server uid-1 10.0.0.1:8080 check ');
  });

  it('draws a bucket at random when there is no key', () => {
    const text = renderConfig(settings(), []);

    expect(text).toContain('set-var(txn.bucket) rand(10000)');
    expect(text).not.toContain('xxh32');
  });

  it.each([
    [{ header: 'x-user-id' }, 'req.fhdr(x-user-id)'],
    [{ cookie: 'session' }, 'req.cook(session)'],
    [{ clientAddress: {} }, 'src'],
  ])('hashes the sticky key %j with the name as salt', (sticky, fetch) => {
    const text = renderConfig(settings({ sticky }), []);

    expect(text).toContain(`set-var(txn.key) ${fetch}\n`);
    expect(text).toContain('"retail %[var(txn.key)]"');
  });

  it('knows an override header only when one is named', () => {
    expect(renderConfig(settings(), [])).not.toContain('override.map');
    expect(mapsOf(settings())).not.toContain('override');
    expect(renderConfig(settings({ overrideHeader: 'x-v' }), [])).toContain(
      'req.fhdr(x-v),map_str(/run/haproxy/override.map)',
    );
  });

  it('resends only what reached no server, and to another one', () => {
    const text = renderConfig(settings(), []);

    expect(text).toContain('option redispatch 1');
    expect(text).toContain('retry-on conn-failure\n');
  });

  it('writes IPv6 addresses in brackets and listens on both families', () => {
    expect(endpointOf({ address: 'fd00::1', port: 8080 })).toBe('[fd00::1]:8080');
    expect(bindsFor('fd00::9').trafficBind).toBe(':::8080 v4v6');
    expect(bindsFor('10.0.0.9').trafficBind).toBe(':8080');
  });
});
