// From the syntax tree of an expression to a function. The work of a loop is paid for before it begins: its length times the parts inside of it.
import type { ASTNode, ASTOperator, AccessOperator, BinaryOperator, UnaryOperator } from '@marcbachmann/cel-js';
import type { JsonValue } from '../validation/python-json.ts';
import { ExpressionError, elementsOf, isList, isMap, kindOf, memberOf, spend } from './frame.ts';
import type { Evaluate } from './frame.ts';
import { FUNCTIONS, METHODS } from './functions.ts';
import type { Run } from './functions.ts';
import { LOOPS } from './loops.ts';
import type { LoopOf } from './loops.ts';
import { BINARY, truth } from './operators.ts';
import { ExpressionSyntaxError } from './parse.ts';

type NodeOf<K extends ASTOperator> = Extract<ASTNode, { readonly op: K }>;

export interface Scope {
  /** Places of the variables in a frame. */
  readonly places: ReadonlyMap<string, number>;
  /** The first place that is free. */
  readonly next: number;
  /** Parts compiled so far. */
  readonly parts: { count: number };
}

const oneOf =
  <K extends ASTOperator>(...operators: readonly K[]) =>
  (node: ASTNode): node is NodeOf<K> =>
    operators.some((operator) => operator === node.op);
const isBinary = oneOf('+', '-', '*', '/', '%', '<', '<=', '>', '>=', '==', '!=', 'in');
const isUnary = oneOf('!_', '-_');
const isLogic = oneOf('||', '&&');
const isAccess = oneOf('.', '[]', '.?', '[?]');

/** Throws ExpressionSyntaxError for what the type checker lets through and has no meaning here. */
export function compile(node: ASTNode, scope: Scope): Evaluate {
  scope.parts.count += 1;
  if (isBinary(node)) return binary(node, scope);
  if (isUnary(node)) return unary(node, scope);
  if (isLogic(node)) return logic(node, scope);
  if (isAccess(node)) return access(node, scope);
  switch (node.op) {
    case 'value':
      return literal(node);
    case 'id':
      return variable(node, scope);
    case 'call':
      return call(node, scope);
    case 'rcall':
      return methodOrLoop(node, scope);
    case 'list':
      return list(node, scope);
    case 'map':
      return map(node, scope);
    case '?:':
      return choice(node, scope);
  }
}

function binary({ op, args }: NodeOf<BinaryOperator>, scope: Scope): Evaluate {
  const run = BINARY[op];
  const [left, right] = [compile(args[0], scope), compile(args[1], scope)];
  return (frame) => run(left(frame), right(frame), frame);
}

function unary({ op, args }: NodeOf<UnaryOperator>, scope: Scope): Evaluate {
  const operand = compile(args, scope);
  if (op === '!_') return (frame) => !truth(operand(frame));
  return (frame) => {
    const value = operand(frame);
    if (typeof value === 'number') return -value;
    throw new ExpressionError(`${kindOf(value)} is no number`);
  };
}

function access(node: NodeOf<AccessOperator>, scope: Scope): Evaluate {
  const container = compile(node.args[0], scope);
  if (node.op === '.') return member(container, node.args[1]);
  if (node.op === '[]') return element(container, compile(node.args[1], scope));
  throw new ExpressionSyntaxError('optional members are not available: write has() or get()');
}

function literal({ args }: NodeOf<'value'>): Evaluate {
  const value = typeof args === 'bigint' ? Number(args) : args;
  if (typeof value === 'object' && value !== null) {
    throw new ExpressionSyntaxError('bytes and unsigned numbers are not available');
  }
  return () => value;
}

function variable({ args: name }: NodeOf<'id'>, { places }: Scope): Evaluate {
  const place = places.get(name);
  if (place === undefined) throw new ExpressionSyntaxError(`${name} is not available`);
  return ({ slots }) => slots[place] ?? null;
}

function list({ args }: NodeOf<'list'>, scope: Scope): Evaluate {
  const elements = args.map((argument) => compile(argument, scope));
  return (frame) => elements.map((evaluate) => evaluate(frame));
}

function map({ args }: NodeOf<'map'>, scope: Scope): Evaluate {
  const entries = args.map(([key, value]) => [compile(key, scope), compile(value, scope)] as const);
  return (frame) => {
    spend(frame, 8 * entries.length);
    return Object.fromEntries(entries.map(([key, value]) => [keyOf(key(frame)), value(frame)]));
  };
}

function keyOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  throw new ExpressionError(`${kindOf(value)} is no key: keys are texts`);
}

function member(container: Evaluate, key: string): Evaluate {
  return (frame) => found(container(frame), key);
}

function element(container: Evaluate, index: Evaluate): Evaluate {
  return (frame) => {
    const from = container(frame);
    const at = index(frame);
    if (typeof at === 'string') return found(from, at);
    if (!isList(from) || typeof at !== 'number')
      throw new ExpressionError(`${kindOf(from)} has no ${kindOf(at)} in it`);
    const value = from[at];
    if (value === undefined) throw new ExpressionError(`a list of ${from.length} has no place ${at}`);
    return value;
  };
}

function found(from: JsonValue, key: string): JsonValue {
  if (!isMap(from)) throw new ExpressionError(`${kindOf(from)} has no ${JSON.stringify(key)}`);
  const value = memberOf(from, key);
  if (value === undefined) throw new ExpressionError(`${JSON.stringify(key.slice(0, 80))} is missing`);
  return value;
}

function choice({ args: [condition, yes, no] }: NodeOf<'?:'>, scope: Scope): Evaluate {
  const [test, left, right] = [compile(condition, scope), compile(yes, scope), compile(no, scope)];
  return (frame) => (truth(test(frame)) ? left(frame) : right(frame));
}

/** The right side is looked at only where the left one leaves it open. */
function logic({ op, args }: NodeOf<'||' | '&&'>, scope: Scope): Evaluate {
  const [left, right] = [compile(args[0], scope), compile(args[1], scope)];
  if (op === '&&') return (frame) => truth(left(frame)) && truth(right(frame));
  return (frame) => truth(left(frame)) || truth(right(frame));
}

function call({ args: [name, given] }: NodeOf<'call'>, scope: Scope): Evaluate {
  if (name === 'has') return has(given[0], scope);
  const run = FUNCTIONS.get(`${name}/${given.length}`)?.run;
  if (run === undefined) throw new ExpressionSyntaxError(`${name}() is not available`);
  return applied(run, given, scope);
}

/** Whether the last member of a path is there; the others must be. */
function has(path: ASTNode | undefined, scope: Scope): Evaluate {
  if (path?.op !== '.') throw new ExpressionSyntaxError('has() takes a member, such as body.name');
  const [container, key] = [compile(path.args[0], scope), path.args[1]];
  return (frame) => {
    const from = container(frame);
    return isMap(from) && Object.hasOwn(from, key);
  };
}

function applied(run: Run, given: readonly ASTNode[], scope: Scope): Evaluate {
  const [a = absent, b = absent, c = absent] = given.map((argument) => compile(argument, scope));
  if (given.length === 1) return (frame) => run(frame, a(frame), null, null);
  if (given.length === 2) return (frame) => run(frame, a(frame), b(frame), null);
  return (frame) => run(frame, a(frame), b(frame), c(frame));
}

function absent(): JsonValue {
  return null;
}

function methodOrLoop(node: NodeOf<'rcall'>, scope: Scope): Evaluate {
  const [name, receiver, given] = node.args;
  const loop = LOOPS.get(`${name}/${given.length}`);
  if (loop !== undefined) return looped(node, loop, scope);
  const run = METHODS.get(`${name}/${given.length}`);
  if (run === undefined) throw new ExpressionSyntaxError(`.${name}() is not available`);
  return applied(run, [receiver, ...given], scope);
}

function looped({ args: [name, receiver, given] }: NodeOf<'rcall'>, loopOf: LoopOf, scope: Scope): Evaluate {
  const over = compile(receiver, scope);
  const [variable, ...behind] = given;
  if (variable?.op !== 'id') throw new ExpressionSyntaxError(`.${name}() takes a name first`);
  const place = scope.next;
  const inner = { ...scope, places: new Map([...scope.places, [variable.args, place]]), next: place + 1 };
  const before = scope.parts.count;
  const [first = absent, second = absent] = behind.map((part) => compile(part, inner));
  const weight = scope.parts.count - before;
  const loop = loopOf(place, [first, second]);
  return (frame) => {
    const elements = elementsOf(frame, over(frame));
    spend(frame, elements.length * weight);
    return loop(frame, elements);
  };
}
