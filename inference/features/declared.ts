// What metadata.json may say under `preprocessing`: the built-in basket, or an expression for each feature.
import * as z from 'zod';
import type { Expressions } from './preprocessing.ts';

const Named = z
  .record(
    z.string().max(1024),
    z.string('an expression is a text'),
    'must be "basket", or an object of feature → expression',
  )
  .transform((record) => new Map(Object.entries(record)));

const Full = z.strictObject({
  language: z.literal('cel', 'only "cel" is known').default('cel'),
  let: Named.default(new Map()),
  features: Named,
});

/** `"basket"`; `{feature: expression}`; or `{language, let, features}`. */
export const Preprocessing = z.unknown().transform((given, context): 'basket' | Expressions => {
  if (given === 'basket') return 'basket';
  const parsed = isFull(given) ? Full.safeParse(given) : Named.safeParse(given);
  if (parsed.success) return parsed.data instanceof Map ? { let: new Map(), features: parsed.data } : parsed.data;
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

/** A feature may be called "features" too, but no expression is an object. */
function isFull(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'features' in given && typeof given.features === 'object';
}
