// Starts the load generator and talks to it.
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Reply, type Command, type Expectation, type LoadPlan, type LoadReport } from './contract.ts';

const PROGRAM = join(import.meta.dirname, 'main.ts');
const REPLY_TIMEOUT_MS = 15_000;

/** How to start a program: `Cluster.inNamespace`, or plain spawn. */
export type Start = (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
type CommandBody = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;

export class Load {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #waiting = new Map<number, { resolve: (report: LoadReport) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #ended: Error | undefined;

  private constructor(child: ChildProcess, input: Writable, output: Readable) {
    this.#child = child;
    this.#input = input;
    input.on('error', () => undefined);
    createInterface({ input: output }).on('line', (line) => this.#take(line));
    child.on('error', (error) => this.#end(error));
    child.on('exit', (code, signal) => this.#end(new Error(`the load generator ended (${String(code ?? signal)})`)));
  }

  /** Starts to send at once. What goes wrong with the generator itself appears on our standard error. */
  static start(start: Start, plan: LoadPlan): Load {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM];
    const child = start(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdin === null || child.stdout === null) throw new Error('the load generator has no pipes');
    const load = new Load(child, child.stdin, child.stdout);
    child.stdin.write(`${JSON.stringify(plan)}\n`);
    return load;
  }

  /** Resolves when requests are judged by it. */
  async expect(expectation: Expectation): Promise<LoadReport> {
    return this.#ask({ command: 'expect', expectation });
  }

  async report(): Promise<LoadReport> {
    return this.#ask({ command: 'report' });
  }

  /** Ends the load when every request has its answer. */
  async stop(): Promise<LoadReport> {
    return this.#ask({ command: 'stop' });
  }

  /** For clean-ups: ends it at once, if it still runs. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask(command: CommandBody): Promise<LoadReport> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the load generator is mute: ${command.command}`)),
        REPLY_TIMEOUT_MS,
      );
      const settled = <T>(then: (value: T) => void) => {
        return (value: T): void => {
          clearTimeout(timer);
          this.#waiting.delete(id);
          then(value);
        };
      };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#input.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  #take(line: string): void {
    const { id, report } = Reply.parse(JSON.parse(line));
    this.#waiting.get(id)?.resolve(report);
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
