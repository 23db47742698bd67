// Keeps the bytecode that a start of the model server needs: it is started once as in a pod, on a small model, and asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODEL = join(import.meta.dirname, '../test/fixtures/models/basket-blue/model.tar.gz');
const REHEARSAL = join(import.meta.dirname, 'rehearsal.cjs');
/** The store is the rehearsal's own. */
const STORE = {
  AWS_REGION: 'us-east-1',
  S3_FORCE_PATH_STYLE: 'true',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
};

/** `folder`: where boot.cjs lies. */
export async function keepBytecode(folder) {
  const artifacts = mkdtempSync(join(tmpdir(), 'switchyard-build-'));
  const port = String(await freePort());
  const env = { ...STORE, HOST: '127.0.0.1', PORT: port, GRPC_PORT: '0', ARTIFACT_DIR: artifacts };
  try {
    const rehearsal = spawn(process.execPath, [REHEARSAL, folder, MODEL], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(rehearsal, 'exit');
    if (code !== 0) throw new Error(`the model server did not start as it should (exit code ${code})`);
  } finally {
    rmSync(artifacts, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
