// The fingerprint by which operator and router know that they speak of the same table.
import { hashOf } from '../operator/runtime/hash.ts';
import type { RouterTable } from './contract.ts';

/** sha256 in hex of the table's canonical JSON. */
export function checksumOf(table: RouterTable): string {
  return hashOf(table);
}
