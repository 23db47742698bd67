// npm run reference: from the training data to the `reference` of metadata.json, which the server compares requests and answers with.
import { parseArgs } from 'node:util';
import { MAX_FEATURES } from '../inference/monitoring/reference.ts';
import type { Reference } from '../inference/monitoring/reference.ts';
import { buildReference } from './build-reference.ts';
import { CliError, UsageError } from './errors.ts';
import { featuresOf, readMetadata, writeReference } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { MAX_BINS } from './summary.ts';
import { openTable } from './table.ts';

const USAGE =
  'npm run reference -- TRAIN.csv|TRAIN.parquet [--features a,b] [--label column] [--metadata metadata.json]';
const HELP = `How the training data is distributed, for drift: see docs/monitoring.md.

  ${USAGE}

TRAIN               a CSV file with a header line (.csv, .csv.gz) or a Parquet file; it is read twice, as a stream
--features a,b      columns that the model takes, by the names that metadata.json or the model has; default: features of metadata.json
--label column      what the model predicts: classes, or the value of a regressor
--metadata FILE     gets the reference; everything else in it stays. Without it the reference is printed
--bins N            bins of a feature with many values, 2 to ${MAX_BINS}; default 10
--delimiter C       of a CSV file; default a comma
`;

const OPTIONS = {
  features: { type: 'string' },
  label: { type: 'string' },
  metadata: { type: 'string' },
  bins: { type: 'string', default: '10' },
  delimiter: { type: 'string', default: ',' },
  help: { type: 'boolean', short: 'h' },
} as const;

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parsed(args);
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const [path, surplus] = positionals;
  if (path === undefined) throw new UsageError('Which training data? Name a CSV or Parquet file.');
  if (surplus !== undefined) throw new UsageError(`One file is expected; "${surplus}" is one more.`);
  const bins = Number(values.bins);
  if (!Number.isInteger(bins) || bins < 2 || bins > MAX_BINS) throw new UsageError(`--bins is 2 to ${MAX_BINS}.`);
  const metadata = values.metadata === undefined ? undefined : await readMetadata(values.metadata);
  const features = wantedFeatures(values.features, metadata);
  if (values.label !== undefined && features.includes(values.label)) {
    throw new UsageError(`--label ${values.label} is among the features: a model is not given what it predicts.`);
  }
  const table = await openTable(path, values.delimiter);
  const reference = await buildReference(table, { features, label: values.label, bins });
  if (values.metadata === undefined || metadata === undefined) {
    process.stdout.write(`${JSON.stringify({ reference }, undefined, 2)}\n`);
    return;
  }
  await writeReference(values.metadata, metadata, reference);
  process.stdout.write(`${values.metadata}: reference of ${described(reference)}\n`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [what = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new UsageError(`${what}.`, { cause: error });
  }
}

function wantedFeatures(given: string | undefined, metadata: Metadata | undefined): readonly string[] {
  const names = given?.split(',').map((name) => name.trim()) ?? (metadata && featuresOf(metadata));
  if (names === undefined)
    throw new UsageError('Which columns? Name them with --features, or in features of --metadata.');
  const twice = names.find((name, at) => name === '' || names.indexOf(name) !== at);
  if (names.length > MAX_FEATURES) {
    throw new UsageError(
      `A reference has at most ${MAX_FEATURES} features, not ${names.length}: name them with --features.`,
    );
  }
  if (twice !== undefined) throw new UsageError(`--features has "${twice}" ${twice === '' ? 'as a name' : 'twice'}.`);
  return names;
}

function described({ rows = 0, features, prediction }: Reference): string {
  const count = Object.keys(features).length;
  return `${count} features${prediction === undefined ? '' : ' and the prediction'}, from ${rows} rows`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  const isUsage = error instanceof UsageError;
  process.stderr.write(`${error.message}\n${isUsage ? `\nUsage\n  ${USAGE}\n` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
