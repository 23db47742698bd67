// The S3 server: versitygw on a folder of the run directory, with bucket versioning.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { REGION } from './config.ts';
import { startDaemon, waitFor, type DaemonRecord, type DaemonSpec } from './process.ts';
import type { ObjectStoreAccess } from './state.ts';

export const OBJECT_STORE = 'versitygw';

export interface ObjectStoreOptions {
  readonly runDir: string;
  readonly binaries: Binaries;
  readonly host: string;
  readonly port: number;
  readonly place: (spec: DaemonSpec) => DaemonSpec;
  readonly signal?: AbortSignal | undefined;
}

/** Starts the server and returns how to reach it: one address for pods and for the host, since the host has a link into the namespace. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStoreAccess> {
  const { runDir, host, port, signal } = options;
  const folders = ['objects', 'versions', 'users'].map((name) => join(runDir, 's3', name));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  const accessKeyId = `SWITCHYARD${randomBytes(5).toString('hex').toUpperCase()}`;
  const secretAccessKey = randomBytes(24).toString('base64url');
  const [objects = '', versions = '', users = ''] = folders;
  const record = await startDaemon(
    runDir,
    options.place({
      name: OBJECT_STORE,
      command: options.binaries.versitygw,
      args: [
        ...['--port', `${host}:${String(port)}`, '--region', REGION, '--iam-dir', users],
        // Without the first it closes the connection after each answer, which S3 does not.
        ...['--keep-alive', '--quiet', '--access-log', join(runDir, 'log/s3-access.log')],
        ...['posix', '--versioning-dir', versions, objects],
      ],
      env: { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
    }),
  );
  const endpoint = `http://${host}:${String(port)}`;
  await waitForObjectStore(runDir, endpoint, record, signal);
  return { endpoint, hostEndpoint: endpoint, region: REGION, accessKeyId, secretAccessKey };
}

/** Waits until the port takes connections. */
export async function waitForObjectStore(
  runDir: string,
  endpoint: string,
  record: DaemonRecord,
  signal?: AbortSignal,
): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  await waitFor(async () => canConnect(hostname, Number(port)), {
    what: `the S3 server on ${endpoint}`,
    deadlineMs: 20_000,
    signal,
    daemon: { runDir, record },
  });
}

async function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
