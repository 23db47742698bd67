// A foreign model server on loopback, for tests of the adapter: it reads its model from a file at its start and on POST /model/reload, in the background, as
// the Python service does, and can be told to misbehave.
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { unpack } from '../../inference/model/package.ts';

/** What it does with the next reload calls, until told otherwise. */
export type Manner =
  /** Loads in the background; a model file that says "broken" leaves it without a model. */
  | 'python'
  /** Loads before it answers; a broken file is a 500 and the old model stays. */
  | 'mlserver'
  /** 200, and the old model stays. */
  | 'ignores'
  /** 500, and the old model stays. */
  | 'refuses'
  /** Never answers a reload call. */
  | 'hangs'
  /** The process ends, and stays down. */
  | 'dies'
  /** 200, loads, and says another version than the file has. */
  | 'lies';

export interface FakeNeighbour {
  readonly port: number;
  manner: Manner;
  /** Versions in the order in which they were loaded. */
  readonly loads: string[];
  /** What a client gets: the version, or undefined for 503. */
  version: string | undefined;
  /** Whether what it says of its model changes with every load. */
  saysWhen: boolean;
  /** Reads its file and listens, on the same port each time. `isStale`: it had read the file a moment ago, and has the model that it had. */
  start(options?: { readonly isStale?: boolean }): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

class Fake implements FakeNeighbour {
  readonly loads: string[] = [];
  readonly #path: string;
  manner: Manner = 'python';
  saysWhen = true;
  port = 0;
  version: string | undefined;
  #server: Server | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async start({ isStale = false } = {}): Promise<void> {
    if (!isStale && !(await this.#isLoaded())) this.version = undefined;
    const server = createServer((request, response) => {
      this.#answer(`${request.method ?? ''} ${request.url ?? ''}`, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  }

  async #answer(call: string, response: ServerResponse): Promise<void> {
    if (call === 'POST /model/reload') await this.#reload(response);
    else if (call !== 'GET /model/info' && call !== 'GET /ready') send(response, 404, { detail: 'Not Found' });
    else if (this.version === undefined) send(response, 503, { detail: 'Model not loaded' });
    else send(response, 200, { version: this.version, loaded_at: this.saysWhen ? `load ${this.loads.length}` : null });
  }

  async #reload(response: ServerResponse): Promise<void> {
    const { manner } = this;
    if (manner === 'dies') await this.stop();
    if (manner === 'dies' || manner === 'hangs') return;
    if (manner === 'refuses') send(response, 500, { error: 'no' });
    else if (manner === 'mlserver') send(response, (await this.#isLoaded()) ? 200 : 500, {});
    else send(response, 200, { message: 'Model reload initiated' });
    if (manner !== 'python' && manner !== 'lies') return;
    if (!(await this.#isLoaded())) this.version = undefined;
    if (manner === 'lies') this.version = 'another';
  }

  async #isLoaded(): Promise<boolean> {
    return this.#load().then(
      () => true,
      () => false,
    );
  }

  async #load(): Promise<void> {
    const { model, metadata } = await unpack('model.tar.gz', this.#path, { maxBytes: 1e6 });
    if (model.toString() === 'broken') throw new Error('broken');
    const { version } = JSON.parse(metadata?.toString() ?? '{}') as { version?: string };
    this.version = version ?? '1.0.0';
    this.loads.push(this.version);
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A server for the model file `path`; it has a port, and does not listen yet. */
export async function fakeNeighbour(path: string): Promise<FakeNeighbour> {
  const fake = new Fake(path);
  await fake.start(); // takes a free port, which it keeps
  await fake.stop();
  fake.loads.length = 0;
  return fake;
}
