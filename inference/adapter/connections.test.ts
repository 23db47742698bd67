import { describe, expect, it } from 'vitest';
import { NeighbourConnections, openPeers } from './connections.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
/** One line of /proc/net/tcp: port 8080 is 1F90. */
const line = (local: string, peer: string, state = '01') =>
  `   0: ${local} ${peer} ${state} 00000000:00000000 00:00000000 0`;
const table = (...lines: string[]) => [HEAD, ...lines, ''].join('\n');
const ALICE = '0302000A:C001';
const BOB = '0402000A:C002';

describe('the connections of the other container', () => {
  it('are the established ones of its port, from other machines, of both families', () => {
    const v4 = table(
      line('0100000A:1F90', ALICE),
      line('0100000A:1F91', BOB),
      line('0100000A:1F90', '0502000A:C003', '06'),
      line('0100007F:1F90', '0100007F:C004'),
    );
    const v6 = table(
      line('0000000000000000FFFF00000100000A:1F90', '0000000000000000FFFF00000602000A:C005'),
      line('0000000000000000FFFF00000100007F:1F90', '0000000000000000FFFF00000100007F:C006'),
      line('00000000000000000000000001000000:1F90', '00000000000000000000000001000000:C007'),
    );

    expect([...openPeers([v4, v6], 8080)]).toEqual([ALICE, '0000000000000000FFFF00000602000A:C005']);
  });

  it('are counted for as long as those that were open at the start of a drain are', async () => {
    let tables = [table(line('0100000A:1F90', ALICE), line('0100000A:1F90', BOB))];
    const connections = new NeighbourConnections(8080, () => Promise.resolve(tables));
    expect(await connections.drain('d1')).toBe(2);

    tables = [table(line('0100000A:1F90', BOB), line('0100000A:1F90', '0702000A:C009'))];

    expect(await connections.drain('d1')).toBe(1);
    expect(await connections.drain('d2')).toBe(2);
  });

  it('are read from this machine without a fault', async () => {
    expect(await new NeighbourConnections(1).drain('d1')).toBe(0);
  });
});
