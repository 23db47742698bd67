// npm run demo: the product's main job on a real cluster, with load all the time, and a table that says what held.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { stopCluster } from '../cluster/cluster.ts';
import { stopDockerWhenIdle } from '../cluster/docker.ts';
import { runDirOf } from '../cluster/state.ts';
import { noMoreWords, oneOf, readCommandLine, UsageError } from '../command-line.ts';
import { runProgram } from '../program.ts';
import { formatSeconds, showProgress, type OnProgress } from '../progress.ts';
import { Claims, renderClaims, renderQuotes } from './claims.ts';
import { diagnose } from './diagnosis.ts';
import { refuseOverKept } from './kept.ts';
import { play } from './play.ts';
import { BLUE } from './show.ts';
import { setUpStage, type Stage } from './stage.ts';
import { tour } from './tour.ts';
import { serviceUrl } from './traffic.ts';
import { openKeptStage, upload, UPLOADS, type UploadKind } from './upload.ts';

const HELP = `Shows Switchyard at work: a real Kubernetes node, a real S3 server, real scikit-learn models, and load the whole time.

  npm run demo [-- [--keep] [--json FILE]]
  npm run demo -- upload good|broken
  npm run demo -- down

--keep        leaves everything up at the end and says how to look around; until "down" no other demo starts
--json FILE   writes the figures as rows {name, value, unit}
upload        puts a new artifact, or a broken one, over the key of blue in what --keep has left, and says what comes of it
down          removes what --keep has left

Needs Linux and root. The first run builds Kubernetes from source and takes about 10 minutes on two cores, later ones about one.
`;

const COMMANDS = ['upload', 'down'] as const;

interface Options {
  readonly keep: boolean;
  readonly json: string | undefined;
}

interface Progress {
  readonly report: OnProgress;
  readonly close: () => void;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readCommandLine(args, { keep: { type: 'boolean' }, json: { type: 'string' } });
  const command = words[0] === undefined ? undefined : oneOf('command', words[0], COMMANDS);
  noMoreWords(words, command === 'upload' ? 2 : 1);
  const [option] = Object.keys(values);
  if (command !== undefined && option !== undefined) throw new UsageError(`--${option} does not go with ${command}.`);
  const kind = command === 'upload' ? oneOf('artifact', words[1] ?? '', UPLOADS) : undefined;
  const progress = showProgress();
  try {
    if (kind !== undefined) return await uploadOver(kind, progress, signal);
    if (command === 'down') return await down(progress, signal);
    return await demo({ keep: values.keep === true, json: values.json }, progress, signal);
  } finally {
    progress.close();
  }
}

async function uploadOver(kind: UploadKind, progress: Progress, signal: AbortSignal): Promise<number> {
  const stage = await openKeptStage(signal);
  try {
    const text = await upload(kind, stage, new Date(), progress.report);
    progress.close();
    process.stdout.write(text);
    return 0;
  } finally {
    stage.store.close();
  }
}

async function down(progress: Progress, signal: AbortSignal): Promise<number> {
  const wasUp = await stopCluster('cluster', progress.report, signal);
  await stopDockerWhenIdle(progress.report);
  progress.close();
  const logs = join(runDirOf('cluster'), 'log');
  process.stdout.write(
    wasUp ? `Removed the cluster and everything in it; its logs stay in ${logs}.\n` : 'Nothing was up.\n',
  );
  return 0;
}

async function demo({ keep, json }: Options, progress: Progress, signal: AbortSignal): Promise<number> {
  await refuseOverKept();
  const startedMs = performance.now();
  const claims = new Claims();
  const stage = await setUpStage({ keep, onProgress: progress.report, signal });
  try {
    await playOrExplain(stage, claims, progress);
    claims.row('demo_seconds', Math.round((performance.now() - startedMs) / 1000), 's');
    process.stdout.write(`\n${renderQuotes(claims.quotes)}\n${renderClaims(claims.all)}\n`);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(claims.rows, undefined, 2)}\n`);
    if (keep) {
      process.stdout.write(tour(stage.cluster, await serviceUrl(stage.kube, BLUE.namespace, BLUE.name)));
    }
    process.stdout.write(`${verdict(claims)} in ${formatSeconds((performance.now() - startedMs) / 1000)}\n`);
    return claims.broken.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}

/** Claims that fail, and steps that do not end, are explained while the cluster is still there. */
async function playOrExplain(stage: Stage, claims: Claims, progress: Progress): Promise<void> {
  try {
    await play(stage, claims, progress.report);
  } catch (error) {
    stage.signal.throwIfAborted();
    claims.add({ claim: 'the demo runs to its end', asked: 'yes', measured: messageOf(error), ok: false });
    process.stdout.write(`\n${inspect(error)}\n`);
  } finally {
    progress.close();
  }
  if (claims.broken.length > 0) process.stdout.write(`\n${await diagnose(stage)}`);
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 120) ?? '';

function verdict({ all, broken }: Claims): string {
  return broken.length === 0
    ? `All ${all.length} claims hold`
    : `${broken.length} of ${all.length} claims do NOT hold: ${broken.map(({ claim }) => claim).join('; ')}`;
}

await runProgram(HELP, main);
