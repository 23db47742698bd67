// The load generator as a process of its own, so that measuring does not disturb what is measured: the plan on the first line of standard input, commands
// on the next ones, answers on standard output (contract.ts). It ends with its parent.
import { createInterface } from 'node:readline';
import { Command, LoadPlan, type Reply } from './contract.ts';
import { LoadGenerator } from './generator.ts';

async function obey(generator: LoadGenerator, command: Command): Promise<Reply> {
  const { id } = command;
  if (command.command === 'expect') generator.expect(command.expectation);
  return { id, report: command.command === 'stop' ? await generator.stop() : generator.report() };
}

async function main(): Promise<void> {
  let generator: LoadGenerator | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (generator === undefined) {
      generator = new LoadGenerator(LoadPlan.parse(JSON.parse(line)));
      continue;
    }
    const command = Command.parse(JSON.parse(line));
    process.stdout.write(`${JSON.stringify(await obey(generator, command))}\n`);
    if (command.command === 'stop') return;
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`load generator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
