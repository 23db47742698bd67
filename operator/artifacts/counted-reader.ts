// Counts the calls to a store, by what was asked and how it ended.
import type { StoreFailureReason } from '../domain/observed.ts';
import { StoreError } from './failure.ts';
import type { StoreReader } from './reader.ts';

export type OnStoreCall = (operation: 'list' | 'head', outcome: 'ok' | StoreFailureReason) => void;

/** The same reader; `onCall` hears of every call that ended. */
export function countedReader(reader: StoreReader, onCall: OnStoreCall): StoreReader {
  return {
    canList: reader.canList,
    list: (request, signal) => counted('list', reader.list(request, signal), onCall),
    head: (request, signal) => counted('head', reader.head(request, signal), onCall),
  };
}

async function counted<T>(operation: 'list' | 'head', call: Promise<T>, onCall: OnStoreCall): Promise<T> {
  try {
    const answer = await call;
    onCall(operation, 'ok');
    return answer;
  } catch (error) {
    if (error instanceof StoreError) onCall(operation, error.failure.reason);
    throw error;
  }
}
