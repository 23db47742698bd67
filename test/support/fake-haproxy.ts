// HAProxy's command line without HAProxy: the commands that the agent uses, with the answers of 2.6, and a list of those that changed something.
import { SocketError } from '../../router/haproxy/socket.ts';
import type { CommandLine } from '../../router/haproxy/socket.ts';

interface State {
  address: string;
  admin: number;
  up: boolean;
  inUse: number;
}

const COLUMNS = '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_port';

export class FakeHaproxy implements CommandLine {
  readonly servers = new Map<string, State>();
  readonly maps = new Map<string, string[]>();
  /** Commands that change something, in order; a map by its bare name. */
  readonly changes: string[] = [];
  /** Commands that start so are answered with the text, once. */
  readonly refusals = new Map<string, string>();
  running = true;
  #draft: string[] = [];

  /** A start from empty files. */
  restart(): void {
    this.servers.clear();
    this.maps.clear();
    this.running = true;
  }

  ask(command: string): Promise<string> {
    if (!this.running) return Promise.reject(new SocketError('no answer from HAProxy'));
    const [line = '', ...payload] = command.split('\n');
    if (!line.startsWith('show')) this.changes.push(line.replace(/\S*\/(\w+)\.map/, '$1').replace(' <<', ''));
    const refusal = [...this.refusals].find(([start]) => line.startsWith(start));
    if (refusal !== undefined) this.refusals.delete(refusal[0]);
    return Promise.resolve(`${refusal?.[1] ?? this.#answer(line, payload)}\n`);
  }

  #answer(line: string, payload: readonly string[]): string {
    const words = line.split(' ');
    if (line === 'show servers state') return ['1', COLUMNS, ...this.#rows()].join('\n');
    if (line === 'show servers conn') return ['# bkname/svname used_cur', ...this.#connections()].join('\n');
    if (line.startsWith('show map')) return (this.maps.get(words[2] ?? '') ?? []).map((l) => `0x1 ${l}`).join('\n');
    return this.#change(words, payload);
  }

  #change(words: readonly string[], payload: readonly string[]): string {
    const [verb, what, third = '', fourth = '', fifth = ''] = words;
    switch (`${verb} ${what}`) {
      case 'prepare map':
        this.#draft = [];
        return 'New version created: 1';
      case 'add map':
        this.#draft.push(...payload.filter((line) => line !== ''));
        return '';
      case 'commit map':
        this.maps.set(fourth, this.#draft);
        return '';
      case 'add server':
        this.servers.set(third, { address: fourth, admin: 1, up: false, inUse: 0 });
        return 'New server registered.';
      case 'enable server':
        return this.#set(third, { admin: 0, up: true });
      case 'set server':
        return this.#set(third, { admin: { ready: 0, drain: 8, maint: 1 }[fifth] ?? 0 });
      case 'del server':
        return this.#delete(third);
      default:
        return '';
    }
  }

  #set(path: string, news: Partial<State>): string {
    const server = this.servers.get(path);
    if (server === undefined) return 'No such server.';
    Object.assign(server, news);
    return '';
  }

  #delete(path: string): string {
    if ((this.servers.get(path)?.inUse ?? 0) > 0)
      return 'Server still has connections attached to it, cannot remove it.';
    this.servers.delete(path);
    return 'Server deleted.';
  }

  #rows(): string[] {
    return [...this.servers].map(([path, { address, admin, up }]) => {
      const [backend, name] = path.split('/');
      const [host, port] = address.split(':');
      return `1 ${backend} 1 ${name} ${host} ${up ? 2 : 0} ${admin} ${port}`;
    });
  }

  #connections(): string[] {
    return [...this.servers].map(([path, { inUse }]) => `${path} ${inUse}`);
  }
}
