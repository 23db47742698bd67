// The fingerprint by which operator and router know that they speak of the same table.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../operator/domain/canonical-json.ts';
import type { RouterTable } from './contract.ts';

/** sha256 in hex of the table's canonical JSON. */
export function checksumOf(table: RouterTable): string {
  return createHash('sha256').update(canonicalJson(table)).digest('hex');
}
