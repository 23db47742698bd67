// Kubernetes Events (events.k8s.io/v1), best effort: one that cannot be written is dropped, and nothing ever waits for it.
import type { Clock } from '../runtime/clock.ts';
import type { KubeClient } from './client.ts';
import { microTime } from './micro-time.ts';
import { apiVersionOf, pathOf, RESOURCES } from './resources.ts';

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventDetails {
  readonly regarding: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: why. */
  readonly reason: string;
  /** CamelCase: what was done about it. */
  readonly action: string;
  /** For people; cut at 1024 characters. With reason and uid it makes an event the same as an earlier one. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Such as `switchyard.dev/operator`. */
  readonly controller: string;
  /** The pod's name. */
  readonly instance: string;
  readonly assertLeading?: () => void;
  readonly onDropped?: (details: EventDetails, why: 'rate' | 'failed') => void;
}

const REPEAT_MS = 120_000;
/** For each object and reason: so many at once, and one more a minute. */
const BURST = 5;
const REFILL_MS = 60_000;
const IN_FLIGHT = 20;
const SWEEP_AT = 2000;

/** Writes Events and holds back repeats, by what this process has written. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** When an event was last written, by uid, reason and note. */
  readonly #written = new Map<string, number>();
  /** When the allowance of an object and reason is full again (as in the rate limiter). */
  readonly #fullAt = new Map<string, number>();
  readonly #inFlight = new Set<Promise<void>>();
  #count = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Writes the event in the background, unless the same was written within two minutes or there are too many. Never throws. */
  record(details: EventDetails, signal: AbortSignal): void {
    const { regarding, reason, note } = details;
    const now = this.#options.clock.monotonic();
    const key = [regarding.uid, reason, note].join('\n');
    if (now - (this.#written.get(key) ?? -Infinity) < REPEAT_MS) return;
    if (this.#inFlight.size >= IN_FLIGHT || !this.#isAllowed(`${regarding.uid}\n${reason}`, now)) {
      this.#options.onDropped?.(details, 'rate');
      return;
    }
    this.#sweep(now);
    this.#written.set(key, now);
    const writing = this.#write(details, signal).catch(() => this.#options.onDropped?.(details, 'failed'));
    this.#inFlight.add(writing);
    void writing.finally(() => this.#inFlight.delete(writing));
  }

  /** Resolves when what is under way has ended. */
  async flush(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #isAllowed(key: string, now: number): boolean {
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? 0);
    if (fullAt - now > (BURST - 1) * REFILL_MS) return false;
    this.#fullAt.set(key, fullAt + REFILL_MS);
    return true;
  }

  #sweep(now: number): void {
    if (this.#written.size + this.#fullAt.size < SWEEP_AT) return;
    for (const [key, at] of this.#written) if (now - at >= REPEAT_MS) this.#written.delete(key);
    for (const [key, at] of this.#fullAt) if (at <= now) this.#fullAt.delete(key);
  }

  async #write(details: EventDetails, signal: AbortSignal): Promise<void> {
    const { client, clock, controller, instance, assertLeading } = this.#options;
    const { regarding, type, reason, action, note } = details;
    this.#count += 1;
    assertLeading?.();
    const body = {
      apiVersion: apiVersionOf(RESOURCES.Event),
      kind: 'Event',
      metadata: { namespace: regarding.namespace, name: nameOf(regarding.name, clock.now(), this.#count) },
      eventTime: microTime(clock.now()),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type,
      reason,
      action,
      regarding,
      note: note.slice(0, 1024),
    };
    await client.request('POST', pathOf(RESOURCES.Event, { namespace: regarding.namespace }), {
      body,
      signal,
      deadlineMs: 5000,
    });
  }
}

/** As kubectl knows them: the object's name, then a hexadecimal time; at most 253 characters. */
function nameOf(name: string, now: number, count: number): string {
  return `${name.slice(0, 220)}.${now.toString(16)}${(count % 0x10000).toString(16).padStart(4, '0')}`;
}
