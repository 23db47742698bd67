// The time format of Leases and Events.

/** RFC 3339 with six fractional digits: the API server refuses a MicroTime with three. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
