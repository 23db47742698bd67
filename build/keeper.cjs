// Preloaded into every thread of a rehearsal: keeps the bytecode of its scripts when the build says so.
const { dirname, join } = require('node:path');
const { BroadcastChannel, isMainThread } = require('node:worker_threads');

const threads = new BroadcastChannel('keep');
threads.unref();

function keep() {
  // Beside the file that the thread was started with.
  require(join(dirname(process.argv[1]), 'boot.cjs')).keep();
}

if (isMainThread) {
  let others = 0;
  process.once('message', (count) => {
    others = count;
    keep();
    threads.postMessage('keep');
  });
  threads.onmessage = () => {
    others -= 1;
    if (others === 0) process.send('kept');
  };
} else {
  threads.onmessage = ({ data }) => {
    if (data !== 'keep') return;
    keep();
    threads.postMessage('kept');
  };
}
