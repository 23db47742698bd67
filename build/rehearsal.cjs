// The model server as the build runs it: up to the first prediction, then once more in a thread of its own for the reader.
const { once } = require('node:events');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const ATTEMPTS = 500;
const PAUSE_MS = 20;
const BASKET = { basket_items: { milk: { product_id: 'm', quantity: 1, price: 1.5, category: 'dairy' } } };

const folder = isMainThread ? process.argv[2] : workerData.folder;
const boot = require(join(folder, 'boot.cjs'));

async function rehearse({ PORT, MODEL_PATH }) {
  boot.load('main.js');
  const base = `http://127.0.0.1:${PORT}`;
  const headers = { 'content-type': 'application/json' };
  await answerOf(`${base}/ready`);
  await answerOf(`${base}/predict`, { method: 'POST', headers, body: JSON.stringify(BASKET) });
  await answerOf(`${base}/metrics`);
  boot.keep();
  const reader = new Worker(__filename, { workerData: { folder } });
  reader.postMessage({ key: MODEL_PATH, path: MODEL_PATH, maxBytes: 2 ** 30 });
  const [outcome] = await once(reader, 'message');
  if (!outcome.ok) throw new Error(outcome.failure.message);
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

function readAndKeep() {
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (...message) => {
    boot.keep();
    post(...message);
  };
  boot.load('worker.js');
}

if (isMainThread) void rehearse(process.env).then(() => process.exit(0));
else readAndKeep();
