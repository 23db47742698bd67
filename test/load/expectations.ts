// Judges answers. What is right changes while requests are under way: a request is judged by every expectation that held from its start to its end.
import type { Basket, Expectation } from './contract.ts';

export interface Answer {
  readonly status: number;
  readonly variant: string | undefined;
  /** X-Model-Version. */
  readonly version: string | undefined;
  readonly body: string;
}

/** What an answer says, or why it is wrong. */
export type Verdict =
  | { readonly ok: true; readonly variant: string; readonly version: string }
  | { readonly ok: false; readonly reason: string };

/** The expectations so far, in order; a request remembers the index of the one at its start. */
export class Expectations {
  readonly #all: Expectation[];

  constructor(first: Expectation) {
    this.#all = [first];
  }

  get index(): number {
    return this.#all.length - 1;
  }

  add(expectation: Expectation): void {
    this.#all.push(expectation);
  }

  /** Versions that the variant may have answered with since expectation `since`. */
  allowedSince(since: number, variant: string): ReadonlySet<string> {
    return new Set(this.#all.slice(since).flatMap(({ versions }) => versions[variant] ?? []));
  }
}

/** Checks everything that an answer says: status, headers, version, label and confidence. */
export function judge(answer: Answer, basket: Basket, allowed: (variant: string) => ReadonlySet<string>): Verdict {
  const { status, variant, version: header } = answer;
  if (status !== 200) return wrong(`status ${status}`);
  if (variant === undefined) return wrong('no X-Model-Variant');
  const said = readBody(answer.body);
  if (said === undefined) return wrong('the body is no prediction');
  const { model_version: version } = said;
  if (header !== version) return wrong(`X-Model-Version ${header ?? 'missing'} on an answer of ${version}`);
  if (!allowed(variant).has(version)) return wrong(`${variant} answered with version ${version}`);
  const expected = basket.answers[version];
  if (expected === undefined) return wrong(`no known answer of version ${version}`);
  // Bit for bit: both sides are what JSON.parse makes of the shortest decimal form.
  const same = expected.sensitivity === said.sensitivity && expected.confidence === said.confidence;
  return same ? { ok: true, variant, version } : wrong(`${version} predicted something else than scikit-learn`);
}

const wrong = (reason: string): Verdict => ({ ok: false, reason });

interface Prediction {
  readonly sensitivity: string;
  readonly confidence: number;
  readonly model_version: string;
}

function readBody(body: string): Prediction | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isPrediction(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPrediction(value: unknown): value is Prediction {
  if (typeof value !== 'object' || value === null) return false;
  const { sensitivity, confidence, model_version: version } = value as Partial<Record<keyof Prediction, unknown>>;
  return typeof sensitivity === 'string' && typeof confidence === 'number' && typeof version === 'string';
}
