import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../config.ts';
import { monitoringSettings } from './settings.ts';

describe('where copies go', () => {
  it('is nowhere unless asked for', () => {
    expect(loadConfig({}).monitoring).toEqual({ redacted: [] });
    expect(monitoringSettings({ PAYLOAD_LOG_SINK: 'stdout', PAYLOAD_LOG_PERCENT: '0' })).toEqual({ redacted: [] });
  });

  it('is taken from the environment', () => {
    expect(
      monitoringSettings({
        PAYLOAD_LOG_SINK: 'https://broker/default',
        PAYLOAD_LOG_PERCENT: '12.5',
        REDACT_FIELDS: 'email, age,',
        POD_NAMESPACE: 'ml',
      }),
    ).toEqual({
      payloads: { sink: new URL('https://broker/default'), rate: 0.125, timeoutMs: 5000 },
      redacted: ['email', 'age'],
      namespace: 'ml',
    });
  });

  it.each([
    ['PAYLOAD_LOG_SINK', 'broker'],
    ['PAYLOAD_LOG_SINK', 'file:///etc/passwd'],
    ['PAYLOAD_LOG_SINK', 'http://user:word@broker/'],
    ['PAYLOAD_LOG_PERCENT', '101'],
    ['PAYLOAD_LOG_TIMEOUT_SECONDS', '0'],
  ])('is refused: %s=%s', (name, value) => {
    expect(() => loadConfig({ PAYLOAD_LOG_SINK: 'stdout', [name]: value })).toThrow(ConfigError);
    expect(() => loadConfig({ PAYLOAD_LOG_SINK: 'stdout', [name]: value })).toThrow(new RegExp(`^${name}: `));
  });
});

describe('shadow peers', () => {
  it('are a list with one share, or a file', () => {
    const SHADOW_PEERS = 'candidate=http://retail--candidate, https://other:8080/base';

    expect(monitoringSettings({ SHADOW_PEERS, SHADOW_PERCENT: '20', SHADOW_KEEP_BODIES: 'true' }).shadow).toEqual({
      peers: [
        { name: 'candidate', url: 'http://retail--candidate', percent: 20 },
        { name: 'other:8080', url: 'https://other:8080/base', percent: 20 },
      ],
      timeoutMs: 5000,
      keepBodies: true,
    });
    expect(monitoringSettings({ SHADOW_PEERS_FILE: '/etc/peers.json' }).shadow).toMatchObject({
      peers: '/etc/peers.json',
      keepBodies: false,
    });
  });

  it.each([
    ['file:///etc/passwd'],
    ['a=ftp://host'],
    ['a=http://user:word@host'],
    ['a=http://host?token=1'],
    ['a=http://one,a=http://two'],
    ['candidate'],
  ])('are refused: %s', (value) => {
    expect(() => loadConfig({ SHADOW_PEERS: value })).toThrow(/^SHADOW_PEERS: /);
  });

  it('are one or the other', () => {
    expect(() => loadConfig({ SHADOW_PEERS: 'http://a', SHADOW_PEERS_FILE: '/b' })).toThrow(ConfigError);
  });
});
