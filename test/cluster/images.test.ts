import { expect, it } from 'vitest';
import { buildArgs, contextEntries } from './images.ts';

it('passes on only the values that the Dockerfile declares', () => {
  const dockerfile = 'FROM scratch\nARG VERSION=0.0.0\nARG OTHER\n# ARG GIT_COMMIT\n';

  expect(buildArgs(dockerfile, { VERSION: '1.2.3', GIT_COMMIT: 'abc' })).toEqual(['--build-arg', 'VERSION=1.2.3']);
});

it('takes the entries of the build context from the exceptions of .dockerignore', () => {
  expect(contextEntries('# why\n*\n!operator\n!package.json\n**/*.test.ts\n')).toEqual(['operator', 'package.json']);
});
