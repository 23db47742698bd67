// The house rules that a machine can check: type-aware lint, and the direction of dependencies.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const clients = {
  group: ['@kubernetes/*', '@dot-i/*'],
  message: 'loads 84 MiB: only operator/kube/transport.ts and operator/shell.ts may import it',
};
const edges = {
  group: ['node:*', '@aws-sdk/*', 'pino', 'fastify', 'prom-client', '**/kube/**'],
  message: 'this file is pure: it decides, it neither reads nor writes',
};
/** Imports that a regular expression describes are refused. */
const refused = (regex, message) => ({ regex, message });
const imports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns: [clients, ...patterns] }] });

const globals = (...names) => Object.fromEntries(names.map((name) => [name, 'readonly']));
const bannedGlobals = (...names) => [
  'error',
  ...names.map((name) => ({ name, message: 'this belongs to an edge; pass the value in' })),
];
const exitAndEnv = [
  { object: 'process', property: 'exit', message: 'only main.ts ends the process' },
  { object: 'process', property: 'env', message: 'only config.ts reads the environment' },
];
const wallClock = { object: 'Date', property: 'now', message: 'only runtime/clock.ts knows the time: pass a Clock in' };
const chance = { object: 'Math', property: 'random', message: 'chance is passed in' };
const banned = [
  { selector: 'ExportDefaultDeclaration', message: 'export by name' },
  { selector: 'ImportExpression[source.value=/^@(kubernetes|dot-i)\\u002f/]', message: clients.message },
  {
    selector: 'ImportDeclaration[source.value="zod"] > :matches(ImportSpecifier, ImportDefaultSpecifier)',
    message: "write import * as z from 'zod': z as a name brings the messages of every language into the bundle",
  },
];

const PURE = [
  'operator/domain/**/*.ts',
  'operator/resources/**/*.ts',
  'operator/plan.ts',
  'operator/children.ts',
  'router/haproxy/config.ts',
  'router/{desired,endpoints,server-plan,split}.ts',
];
const NOT_PURE = ['**/*.test.ts'];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'test/fixtures/models', '**/.venv'] },
  js.configs.recommended,
  { files: ['**/*.js'], languageOptions: { globals: globals('process', 'console', 'URL', 'AbortSignal') } },
  { files: ['**/*.cjs'], languageOptions: { globals: globals('process', '__filename', '__dirname') } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 12],
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-depth': ['error', 3],
      ...imports(),
      'no-restricted-properties': ['error', ...exitAndEnv],
      'no-restricted-syntax': ['error', ...banned],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
    },
  },
  // Time and chance are passed in, so that a test can stand still.
  {
    files: ['operator/**/*.ts', 'router/**/*.ts'],
    ignores: ['**/*.test.ts', 'operator/runtime/clock.ts'],
    rules: {
      'no-restricted-globals': bannedGlobals('setTimeout', 'setInterval', 'performance'),
      'no-restricted-properties': ['error', ...exitAndEnv, wallClock],
    },
  },
  // Which folder may import which.
  {
    files: ['inference/**/*.ts'],
    rules: imports(refused('(^|/)(operator|router)/', 'inference/ stands alone')),
  },
  {
    files: ['router/**/*.ts'],
    rules: imports(
      refused('(^|/)inference/', 'the router does not know the model server'),
      refused('(^|/)operator/(?!kube/|runtime/|logger\\.ts$)', 'of the operator the router takes the edge only'),
      refused('/kube/(transport|client-node)\\.ts$', 'router/ must stay small: in-cluster.ts does it'),
    ),
  },
  {
    files: ['operator/kube/**/*.ts'],
    rules: imports(refused('^\\.\\./(?!runtime/|\\.\\./test/)', 'kube/ knows no words of the domain')),
  },
  {
    files: ['operator/runtime/**/*.ts'],
    rules: imports(refused('^\\.\\./(?!\\.\\./test/)', 'runtime/ knows neither Kubernetes nor the domain')),
  },
  {
    files: PURE,
    ignores: NOT_PURE,
    rules: {
      ...imports(edges),
      'no-restricted-globals': bannedGlobals('process', 'setTimeout', 'setInterval', 'performance', 'fetch', 'console'),
      'no-restricted-properties': ['error', wallClock, chance],
      'no-restricted-syntax': [
        'error',
        ...banned,
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'time is passed in' },
      ],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
  {
    files: ['operator/{domain,resources}/**/*.ts'],
    ignores: NOT_PURE,
    rules: imports(
      edges,
      refused(
        '^\\.\\./(?!domain/|runtime/(canonical-json|hash)\\.ts$|\\.\\./inference/contract\\.ts$|\\.\\./router/(contract|split)\\.ts$)',
        'dependencies point inwards',
      ),
    ),
  },
  {
    files: ['operator/kube/{transport,client-node}.ts', 'operator/shell.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['**/main.ts', '**/config.ts', 'test/**/*.ts', '**/*.test.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Vitest takes these by their default export.
    files: ['vitest.config.ts', 'test/support/*-tier.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 400 }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
