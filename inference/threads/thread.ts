// Runs in a worker thread: answers requests on the public ports by the models that the main thread has read. All that is told of the whole process is asked
// of the main thread.
import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { Connections } from '../connections.ts';
import { Counts } from '../monitoring/counts.ts';
import { servingPorts } from '../public-ports.ts';
import { Line } from './line.ts';
import type { MainCalls, Reading, ThreadCalls, ThreadStart } from './protocol.ts';
import { remoteSessions } from './remote-sessions.ts';
import { threadTaps } from './taps.ts';
import { Versions } from './versions.ts';

if (parentPort === null) throw new Error('this is a worker thread of the server');
const { config, ports } = workerData as ThreadStart;

const connections = new Connections();
let isOpen = false;
let isLeaving = false;

const calls: ThreadCalls = {
  prepare: (version) => slot.prepare(version),
  serve(id) {
    main.tell('counted', read());
    slot.serve(id);
  },
  drop: (id) => slot.drop(id),
  open() {
    isOpen = true;
  },
  shadow: (peers) => copies.use(peers),
  leave() {
    isLeaving = true;
    connections.closeAll();
  },
  drain: (id) => connections.drain(id),
  shed: (count) => connections.shed(count),
  read,
  async close(limitMs) {
    await serving.close(limitMs);
    return read();
  },
};
const main = new Line<MainCalls>(parentPort, calls);
const slot = new Versions({ maxBytes: config.maxModelBytes, onnx: remoteSessions(main) });
const counts = new Counts({
  current: () => slot.current,
  windowMs: config.driftWindowMs,
  minRows: config.driftMinRows,
});
const copies = threadTaps(config.copies, (copy) => main.tell('copy', copy));
const serving = servingPorts({
  config,
  slot,
  counts,
  connections,
  log: pino(
    { level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line) => main.tell('log', line) },
  ),
  copies,
  overview: {
    metrics: () => main.call('metrics'),
    info: () => main.call('info'),
    shadow: () => main.call('shadow'),
    reload: () => main.tell('reload'),
  },
  modelName: () => config.modelDeployment ?? slot.current?.manifest.name ?? 'model',
  isLeaving: () => isLeaving || !isOpen,
});
// Where it cannot, the thread ends and the main one is told why.
void serving.listen(ports, true);

function read(): Reading {
  return { id: slot.id, taken: counts.take(), open: connections.open, inFlight: connections.inFlight };
}
