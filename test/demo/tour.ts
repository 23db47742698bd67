// What one can do with a demo that stays up: every line can be pasted into a shell.
import { dirname } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { shellCommand, shellWord } from '../shell-words.ts';
import { BLUE } from './show.ts';

const BODY = '{"basket_items": {"a": {"quantity": 2, "price": 3.5, "category": "produce"}}}';

/** Blue is the first variant of the example; green has 100. */
const HALF = '[{"op":"replace","path":"/spec/variants/0/weight","value":100}]';

/** `url` is that of the Service. The credentials are those of a store that goes with the cluster. */
export function tour({ env, kubectlPath }: Pick<Cluster, 'env' | 'kubectlPath'>, url: string): string {
  const { namespace, name, bucket, key } = BLUE;
  const predict = ['curl', '-i', `${url}/predict`, '-H', 'x-user-id: me', '-H', 'content-type: application/json'];
  const lines = [
    'The cluster stays up. To look around:',
    ...Object.entries(env()).map(([variable, value]) => `  export ${variable}=${shellWord(value)}`),
    `  export PATH=$PATH:${shellWord(dirname(kubectlPath))}`,
    ...[
      ['kubectl', 'get', 'mdep', '-n', namespace, '-o', 'wide'],
      ['kubectl', 'describe', 'mdep', name, '-n', namespace],
      [...predict, '-d', BODY],
      ['curl', `${url}/model/info`],
    ].map((words) => `  ${shellCommand(words)}`),
    `Blue serves s3://${bucket}/${key} of that S3 server. To put another artifact over it, and to see what comes of it:`,
    '  npm run demo -- upload good',
    '  npm run demo -- upload broken',
    'The demo ends with all traffic on green. To give blue half of it again:',
    `  ${shellCommand(['kubectl', 'patch', 'mdep', name, '-n', namespace, '--type=json', '-p', HALF])}`,
    'To remove everything:',
    '  npm run demo -- down',
  ];
  return `${lines.join('\n')}\n\n`;
}
