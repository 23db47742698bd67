import { expect, it } from 'vitest';
import { tour } from './tour.ts';

const text = tour(
  {
    env: () => ({
      KUBECONFIG: '/tmp/a b/kubeconfig',
      AWS_ENDPOINT_URL_S3: 'http://10.0.0.1:9000',
      AWS_ACCESS_KEY_ID: 'ID',
      AWS_SECRET_ACCESS_KEY: 'se-cret',
    }),
    kubectlPath: '/opt/kube/kubectl',
  },
  'http://10.96.0.7:80',
);

it('says how to reach cluster, store and Service', () => {
  for (const line of [
    "export KUBECONFIG='/tmp/a b/kubeconfig'",
    'export AWS_ENDPOINT_URL_S3=http://10.0.0.1:9000',
    'export AWS_ACCESS_KEY_ID=ID',
    'export AWS_SECRET_ACCESS_KEY=se-cret',
    'export PATH=$PATH:/opt/kube',
    'curl http://10.96.0.7:80/model/info',
  ]) {
    expect(text.split('\n')).toContain(`  ${line}`);
  }
});

it('says how to upload over the key of blue, and how to end', () => {
  expect(text).toContain('s3://models/retail/blue/model.tar.gz');
  for (const line of ['upload good', 'upload broken', 'down']) expect(text).toContain(`  npm run demo -- ${line}\n`);
});

it('quotes what a shell would read more into', () => {
  expect(text).toContain(`-H 'x-user-id: me' -H 'content-type: application/json' -d '{"basket_items"`);
});
