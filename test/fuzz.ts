// Damages the golden model files at random for as long as told, and stops at the first that is neither refused nor sound: `node test/fuzz.ts MINUTES [NAME]`,
// NAME a regular expression of the cases. It is no test: those run the same damage with fixed seeds.
import { ONNX_FILE } from '../inference/onnx/file.ts';
import { seededRandom } from './support/a-pickle.ts';
import { ONE_AGAINST_REST, decompressed, gaveOnnxModel, gaveSoundModel, mutated } from './support/damage.ts';
import { goldenCases, onnxCases } from './support/estimator-fixtures.ts';

/** Files of one case between two looks at the clock. */
const ROUND = 200;

interface Tally {
  files: number;
  sound: number;
}

function fuzz(minutes: number, pattern: RegExp): Map<string, Tally> {
  const cases = [...goldenCases(), ...onnxCases()].filter(
    ({ name }) => pattern.test(name) && !ONE_AGAINST_REST.test(name),
  );
  if (cases.length === 0) throw new Error(`no case has a name like ${pattern.source}`);
  const tallies = new Map<string, Tally>();
  const end = performance.now() + minutes * 60_000;
  for (let seed = 1; performance.now() < end; seed += 1) {
    const golden = cases[seed % cases.length];
    if (golden === undefined) break;
    const random = seededRandom(seed);
    const kind = golden.name.replace(/[-/+].*/, '');
    const tally = tallies.get(kind) ?? { files: 0, sound: 0 };
    tallies.set(kind, tally);
    damage({ ...golden, bytes: decompressed(golden.bytes) }, random, tally, seed);
  }
  return tallies;
}

function damage(
  { name, file, bytes }: { readonly name: string; readonly file: string; readonly bytes: Uint8Array },
  random: () => number,
  tally: Tally,
  seed: number,
): void {
  for (let round = 0; round < ROUND; round += 1) {
    try {
      const damaged = mutated(bytes, random);
      tally.sound += Number(ONNX_FILE.test(file) ? gaveOnnxModel(damaged) : gaveSoundModel(file, damaged));
      tally.files += 1;
    } catch (cause) {
      throw new Error(`${name}, seed ${seed}, file ${round}`, { cause });
    }
  }
}

const [minutes = '1', pattern = '.'] = process.argv.slice(2);
for (const [kind, { files, sound }] of fuzz(Number(minutes), new RegExp(pattern))) {
  process.stdout.write(`${kind}: ${files} files, ${files - sound} refused, ${sound} sound\n`);
}
