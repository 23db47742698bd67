// Our side of the evaluator suite: prints microseconds a row as JSON. Takes a file of rows.
import { readFileSync } from 'node:fs';
import { modelOf, parseModel } from '../../../inference/model/model.ts';
import { archived } from '../../support/model-fixtures.ts';
import { FOREST } from '../bodies.ts';

const SINGLES = 200_000;
const BATCHES = 2_000;
const BATCH = 100;

const rows = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as number[][];
const model = modelOf(parseModel('model.joblib', archived(FOREST, 'model.joblib'), { maxBytes: 2 ** 30 }));
const singles = rows.map((row) => Float64Array.from(row));
const batches = Array.from({ length: 5 }, (_, at) =>
  Float64Array.from(rows.slice(at * BATCH, (at + 1) * BATCH).flat()),
);

/** Microseconds of one call, the first tenth of them not counted. */
function time(inputs: readonly Float64Array[], count: number, calls: number): number {
  const call = (at: number) => model.predictProba?.(inputs[at % inputs.length] ?? new Float64Array(), count);
  for (let at = 0; at < calls / 10; at += 1) call(at);
  const start = performance.now();
  for (let at = 0; at < calls; at += 1) call(at);
  return ((performance.now() - start) * 1000) / calls;
}

const times = { single: time(singles, 1, SINGLES), batch: time(batches, BATCH, BATCHES) / BATCH };
process.stdout.write(`${JSON.stringify({ switchyard: times })}\n`);
