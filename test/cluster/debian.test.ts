import { expect, it } from 'vitest';
import { missingPackages } from './debian.ts';

it('names each package once of which a program is not there', async () => {
  const requirements = [
    { package: 'nodejs', program: process.execPath },
    { package: 'shell', program: 'sh' },
    { package: 'docker.io', program: '/nowhere/dockerd' },
    { package: 'docker.io', program: 'no-such-docker' },
  ];

  expect(await missingPackages(requirements)).toEqual(['docker.io']);
});
