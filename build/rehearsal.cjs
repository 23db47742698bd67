// The model server as the build runs it: with a model from a store, up to the first prediction; then the reader once more, in a thread of its own.
const { once } = require('node:events');
const { createReadStream } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const ATTEMPTS = 500;
const PAUSE_MS = 20;
const BASKET = { basket_items: { milk: { product_id: 'm', quantity: 1, price: 1.5, category: 'dairy' } } };

async function rehearse(folder, model) {
  const store = createServer((_, response) => createReadStream(model).pipe(response)).listen(0, '127.0.0.1');
  await once(store, 'listening');
  process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${store.address().port}`;
  const boot = require(join(folder, 'boot.cjs'));
  boot.load('main.js');
  await ask(`http://127.0.0.1:${process.env.PORT}`);
  boot.keep();
  const reader = new Worker(__filename, { workerData: { folder } });
  reader.postMessage({ key: model, path: model, maxBytes: 2 ** 30 });
  const [outcome] = await once(reader, 'message');
  if (!outcome.ok) throw new Error(outcome.failure.message);
}

async function ask(base) {
  const headers = { 'content-type': 'application/json' };
  await answerOf(`${base}/ready`);
  await answerOf(`${base}/predict`, { method: 'POST', headers, body: JSON.stringify(BASKET) });
  await answerOf(`${base}/metrics`);
}

async function answerOf(url, options) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answer = await fetch(url, options).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(PAUSE_MS);
  }
  throw new Error(`no answer from ${url}`);
}

/** Keeps what reading took before the outcome is told, which ends the thread. */
function readAndKeep({ folder }) {
  const boot = require(join(folder, 'boot.cjs'));
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (...message) => {
    boot.keep();
    post(...message);
  };
  boot.load('worker.js');
}

if (isMainThread) void rehearse(...process.argv.slice(2)).then(() => process.exit(0));
else readAndKeep(workerData);
