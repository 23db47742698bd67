import { expect, it } from 'vitest';
import { chooseMirror } from './bootstrap.ts';
import { selectAptSettings } from './surroundings.ts';

it('takes the mirror of the release itself', () => {
  const targets = 'bookworm-updates http://updates/debian\nbookworm http://mirror/debian\nnodistro http://elsewhere\n';

  expect(chooseMirror(targets)).toBe('http://mirror/debian');
});

it('knows no mirror on a machine of another release', () => {
  expect(chooseMirror('noble http://mirror/ubuntu\n')).toBeUndefined();
});

it('keeps what apt needs to reach a mirror and nothing else', () => {
  const dump = [
    'APT::Architecture "amd64";',
    'Acquire::http::Proxy "http://proxy:3128";',
    'Acquire::https::CAInfo "/etc/ca.crt";',
    'Acquire::Check-Date "false";',
    'Acquire::Languages "none";',
    'DPkg::Post-Invoke:: "rm -f something";',
  ].join('\n');

  expect(selectAptSettings(dump)).toBe(
    'Acquire::http::Proxy "http://proxy:3128";\nAcquire::https::CAInfo "/etc/ca.crt";\nAcquire::Check-Date "false";\n',
  );
});
