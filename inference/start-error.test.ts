import { expect, it } from 'vitest';
import { directoryFailure, portFailure } from './start-error.ts';

const fault = (code: string) => Object.assign(new Error(`listen ${code}`), { code });

it.each([
  ['EADDRINUSE', 'ADMIN_PORT: port 80 of 10.0.0.9 is taken: end what uses it or set another'],
  ['EACCES', 'ADMIN_PORT: this process may not open port 80: set one from 1024 on'],
  [
    'EADDRNOTAVAIL',
    'HOST: cannot listen on 10.0.0.9 (EADDRNOTAVAIL): set an address of this machine, or 0.0.0.0 for all',
  ],
  ['ENOTFOUND', 'HOST: cannot listen on 10.0.0.9 (ENOTFOUND): set an address of this machine, or 0.0.0.0 for all'],
])('names the variable behind %s of a port', (code, message) => {
  expect(portFailure('ADMIN_PORT', '10.0.0.9', 80, fault(code)).message).toBe(message);
});

it.each([
  ['EEXIST', 'is not a directory'],
  ['ENOTDIR', 'is not a directory'],
  ['EROFS', 'cannot be written (EROFS)'],
])('says what is wrong with the directory: %s', (code, why) => {
  expect(directoryFailure('/a', fault(code)).message).toBe(
    `ARTIFACT_DIR: /a ${why}: set a directory that this process may write`,
  );
});
