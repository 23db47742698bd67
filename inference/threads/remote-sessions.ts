// ONNX models for serving threads: there is one worker that runs them, which the main thread owns and asks on behalf of the others.
import { HttpError } from '../errors.ts';
import type { OnnxFile } from '../onnx/file.ts';
import type { Column, RunOrder } from '../onnx/protocol.ts';
import type { OnnxSessions, Session } from '../onnx/sessions.ts';
import type { Line } from './line.ts';

type Ran = { readonly column: Column } | { readonly refused: { readonly status: number; readonly message: string } };

/** What a serving thread calls. */
export interface SessionCalls {
  readonly keepSession: (session: number) => void;
  readonly runSession: (call: Omit<RunOrder, 'do'>) => Promise<Ran>;
  readonly releaseSession: (session: number) => void;
}

/** On the main thread. */
export function sessionCalls(onnx: OnnxSessions): SessionCalls {
  return {
    keepSession: (session) => onnx.keep(session),
    releaseSession: (session) => onnx.release(session),
    async runSession(call) {
      try {
        return { column: await onnx.run(call) };
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        return { refused: { status: error.status, message: error.message } };
      }
    },
  };
}

/** On a serving thread: opens what the main thread has opened before. */
export function remoteSessions(main: Line<SessionCalls>): Pick<OnnxSessions, 'open'> {
  return {
    async open({ session: id }: OnnxFile): Promise<Session> {
      if (id === undefined) throw new TypeError('the session is not open on the main thread');
      await main.call('keepSession', id);
      return {
        id,
        async run(output, rows, count) {
          const ran = await main.call('runSession', { session: id, output, rows: rows.slice(), count });
          if ('column' in ran) return ran.column;
          throw new HttpError(ran.refused.status, ran.refused.message);
        },
        release: () => main.tell('releaseSession', id),
      };
    },
  };
}
