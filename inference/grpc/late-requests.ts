// A client that opens a call and never finishes its request would hold what it has sent for ever: after a while the call is ended, and its connection with it.
import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { ServerInterceptor } from '@grpc/grpc-js';

/**
 * Ends calls whose request takes longer than `limitMs` to arrive, with DEADLINE_EXCEEDED. `endConnection` is given the peer's address and port: its
 * half of the call stays open, and would keep the bytes.
 */
export function refuseLateRequests(limitMs: number, endConnection: (peer: string) => void): ServerInterceptor {
  return (_, call) => {
    const late = setTimeout(() => {
      const details = `The request took longer than ${limitMs} ms to arrive`;
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
      setImmediate(endConnection, call.getPeer());
    }, limitMs);
    late.unref();
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        clearTimeout(late);
        next();
      })
      .withOnCancel(() => clearTimeout(late))
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}
