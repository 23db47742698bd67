// Reads Python pickles, protocols 0 to 5, and executes nothing. The limits are ours.
import { damaged } from './byte-reader.ts';
import { ModelError } from '../model/errors.ts';
import { PickleMachine, type PickleRun } from './pickle-machine.ts';
import { OPCODES } from './pickle-opcodes.ts';
import type { Value } from './pickle-value.ts';

/** About 350 opcodes make a tree; this is room for some 5,000 trees, and bounds the memory that values can take. */
const MAX_OPCODES = 2_000_000;
const MAX_NESTED = 4;

/** Reads one pickle from the reader's offset up to its STOP. Throws ModelError. */
export function readPickle(run: PickleRun): Value {
  run.nested += 1;
  if (run.nested > MAX_NESTED) throw damaged(run.reader.offset, 'pickles nested too deeply');
  const machine = new PickleMachine(run);
  while (machine.result === undefined) step(machine);
  run.nested -= 1;
  return machine.result;
}

function step(machine: PickleMachine): void {
  const { run } = machine;
  const at = run.reader.offset;
  run.opcodes += 1;
  if (run.opcodes > MAX_OPCODES) {
    throw new ModelError('ArtifactTooLarge', `byte ${at}: more than ${MAX_OPCODES} pickle opcodes; use fewer trees`);
  }
  const code = run.reader.u8();
  const opcode = OPCODES[code];
  if (opcode === undefined) throw damaged(at, `0x${code.toString(16)} is not a pickle opcode`);
  opcode(machine);
}
