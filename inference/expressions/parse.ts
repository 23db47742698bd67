// The edge to the CEL library, which reads and type-checks an expression once, when a model is loaded. Its evaluator is not used: it has no bound on
// loops, and it keeps the type of every nested value that it has seen for ever, so that requests could fill the memory (docs/preprocessing.md).
import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { FUNCTIONS } from './functions.ts';

/** The text is no expression that can be run here. */
export class ExpressionSyntaxError extends Error {
  override readonly name = 'ExpressionSyntaxError';
}

export interface Parsed {
  readonly node: ASTNode;
  /** What it gives, as CEL calls it: "double", "list<string>", "dyn" where only the body can tell. */
  readonly type: string;
}

/** Longest text of one expression. */
export const MAX_EXPRESSION_LENGTH = 4_096;

const LIMITS = { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 3 };

/** Reads expressions over the same variables. */
export class ExpressionParser {
  readonly #environment = BASE.clone();

  /** Makes `name` known to the expressions that follow. Throws ExpressionSyntaxError. */
  declare(name: string, type: string): void {
    try {
      this.#environment.registerVariable(name, type);
    } catch (error) {
      throw syntaxError(error);
    }
  }

  /** Throws ExpressionSyntaxError. */
  parse(text: string): Parsed {
    if (text.length > MAX_EXPRESSION_LENGTH) {
      throw new ExpressionSyntaxError(`it has more than ${MAX_EXPRESSION_LENGTH} characters`);
    }
    try {
      const parsed = this.#environment.parse(text);
      const { type, error } = parsed.check();
      if (type === undefined) throw error ?? new Error('unknown type');
      return { node: parsed.ast, type };
    } catch (error) {
      throw syntaxError(error);
    }
  }
}

/** To us all numbers are doubles; to the type checker a literal like 2 is an int, which it must let meet them. Nothing here is ever run. */
function baseEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS });
  for (const { signatures = [] } of FUNCTIONS.values()) {
    for (const signature of signatures) environment.registerFunction(signature, () => null);
  }
  for (const operator of ['+', '-', '*', '/', '%']) {
    environment.registerOperator(`int ${operator} double: double`, () => 0);
    environment.registerOperator(`double ${operator} int: double`, () => 0);
  }
  environment.registerOperator('double % double: double', () => 0);
  environment.registerOperator('int == double: bool', () => false);
  return environment;
}

const BASE = baseEnvironment();

/** The library's message without its drawing of the place. */
function syntaxError(error: unknown): ExpressionSyntaxError {
  const message = error instanceof Error ? error.message : 'unknown';
  return new ExpressionSyntaxError((message.split('\n')[0] ?? message).slice(0, 200), { cause: error });
}
