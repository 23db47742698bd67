// Keeps the bytecode that a start of the model server needs: it is started as in a pod, with a small model from a store, and asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MODEL = join(import.meta.dirname, '../test/fixtures/models/basket-blue/model.tar.gz');
const KEEPER = join(import.meta.dirname, 'keeper.cjs');
/** The one that reads models, and one that serves beside the main one. */
const OTHER_THREADS = 2;
const SERVER = {
  HOST: '127.0.0.1',
  GRPC_PORT: '0',
  SERVING_THREADS: '2',
  AWS_REGION: 'us-east-1',
  S3_FORCE_PATH_STYLE: 'true',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
};

const BASKET = JSON.stringify({
  basket_items: { milk: { product_id: 'm', quantity: 1, price: 1.5, category: 'dairy' } },
});
/** Each on a connection of its own: the kernel gives some of them to each thread. */
const PREDICTIONS = 24;
const ATTEMPTS = 500;
const PAUSE_MS = 20;
const ANSWER_MS = 30_000;

/** `folder`: where main.js lies. */
export async function keepBytecode(folder) {
  const artifacts = mkdtempSync(join(tmpdir(), 'switchyard-build-'));
  const store = await listening(createServer((_, response) => createReadStream(MODEL).pipe(response)));
  const env = {
    ...SERVER,
    PORT: String(await freePort()),
    ARTIFACT_DIR: artifacts,
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${store.address().port}`,
  };
  const server = spawn(process.execPath, ['--require', KEEPER, join(folder, 'main.js')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    await ask(Number(env.PORT));
    server.send(OTHER_THREADS);
    const [answer] = await once(server, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer !== 'kept') throw new Error('the bytecode was not kept');
  } finally {
    server.kill('SIGKILL');
    store.close();
    rmSync(artifacts, { recursive: true, force: true });
  }
}

async function ask(port) {
  for (let attempt = 0; (await statusOf(port, 'GET', '/ready')) !== 200; attempt += 1) {
    if (attempt === ATTEMPTS) throw new Error('the model server did not get ready');
    await sleep(PAUSE_MS);
  }
  const orders = [['GET', '/metrics'], ...Array.from({ length: PREDICTIONS }, () => ['POST', '/predict', BASKET])];
  for (const [method, path, body] of orders) {
    const status = await statusOf(port, method, path, body);
    if (status !== 200) throw new Error(`the model server answered ${status} to ${path}`);
  }
}

/** undefined: nobody listens yet. */
async function statusOf(port, method, path, body) {
  // The short way is for connections that stay open.
  const headers = { connection: 'keep-alive', 'content-type': 'application/json', 'content-length': body?.length ?? 0 };
  const signal = AbortSignal.timeout(ANSWER_MS);
  const { promise, resolve } = Promise.withResolvers();
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false, signal }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode));
  });
  asked.on('error', () => resolve(undefined)).end(body);
  return promise;
}

async function freePort() {
  const server = await listening(createServer());
  const { port } = server.address();
  server.close();
  return port;
}

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
