// The few questions that the launcher itself asks the API server; kubectl would cost a tenth of a second of processor each time.
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** GET with the identity of a kubeconfig that we have written. Undefined when there is no answer within two seconds. */
export async function apiGet(kubeconfig: string, path: string): Promise<ApiAnswer | undefined> {
  const text = await readFile(kubeconfig, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { clusters, users } = JSON.parse(text) as WrittenKubeconfig;
  const { server, 'certificate-authority-data': authority } = clusters[0].cluster;
  const options = {
    ca: Buffer.from(authority, 'base64'),
    headers: { authorization: `Bearer ${users[0].user.token}`, 'user-agent': 'switchyard-launcher' },
  };
  return get(`${server}${path}`, options);
}

/** Whether the server says that it is ready. Its certificate is not checked: it may be about to make one. */
export async function isServerReady(server: string): Promise<boolean> {
  const answer = await get(`${server}/readyz`, { rejectUnauthorized: false });
  return answer?.status === 200;
}

interface WrittenKubeconfig {
  readonly clusters: readonly [{ cluster: { server: string; 'certificate-authority-data': string } }];
  readonly users: readonly [{ user: { token: string } }];
}

async function get(url: string, options: object): Promise<ApiAnswer | undefined> {
  return new Promise((resolve) => {
    const call = request(url, { ...options, agent: false, timeout: 2_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    call.on('error', () => resolve(undefined));
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.end();
  });
}
