// The house rules that a machine can check: type-aware lint, and the direction of dependencies.
import { defineConfig, type OxlintOverride } from 'oxlint';

type Rules = NonNullable<OxlintOverride['rules']>;

interface Refused {
  message: string;
  group: string[];
}

/**
 * Imports are refused that match one of these patterns, the last that they match deciding, as in a .gitignore. What begins with an exclamation mark is allowed
 * by all groups.
 */
const refused = (message: string, ...group: string[]): Refused => ({ group, message });
const clients = refused(
  'loads 84 MiB: only operator/kube/transport.ts and operator/shell.ts may import it',
  '@kubernetes/*',
  '@dot-i/*',
);
const edges = refused(
  'this file is pure: it decides, it neither reads nor writes',
  'node:*',
  '@aws-sdk/*',
  'pino',
  'fastify',
  'prom-client',
  '**/kube/**',
);
const imports = (...patterns: Refused[]): Rules => ({
  'no-restricted-imports': ['error', { patterns: [clients, ...patterns] }],
});

const banned = (name: string) => ({ name, message: 'this belongs to an edge; pass the value in' });
const exitAndEnv = [
  { object: 'process', property: 'exit', message: 'only main.ts ends the process' },
  { object: 'process', property: 'env', message: 'only config.ts reads the environment' },
];
const wallClock = { object: 'Date', property: 'now', message: 'only runtime/clock.ts knows the time: pass a Clock in' };
const chance = { object: 'Math', property: 'random', message: 'chance is passed in' };

const PURE = [
  'operator/domain/**/*.ts',
  'operator/resources/**/*.ts',
  'operator/plan.ts',
  'operator/children.ts',
  'router/haproxy/config.ts',
  'router/{desired,endpoints,server-plan,split}.ts',
];
const NOT_PURE = ['**/*.test.ts'];

/** What typescript-eslint and ESLint call strict and recommended, beside what is wrong for sure, which is on as a whole. */
const STRICT = [
  'no-case-declarations',
  'no-empty',
  'no-fallthrough',
  'no-prototype-builtins',
  'no-regex-spaces',
  'no-unexpected-multiline',
  'no-var',
  'prefer-const',
  'prefer-rest-params',
  'prefer-spread',
  'preserve-caught-error',
];
const STRICT_TYPES = [
  'ban-ts-comment',
  'consistent-type-imports',
  'no-deprecated',
  'no-dynamic-delete',
  'no-empty-object-type',
  'no-explicit-any',
  'no-extraneous-class',
  'no-generated-empty-object-type',
  'no-invalid-void-type',
  'no-misused-promises',
  'no-mixed-enums',
  'no-namespace',
  'no-non-null-asserted-nullish-coalescing',
  'no-non-null-assertion',
  'no-require-imports',
  'no-unnecessary-boolean-literal-compare',
  'no-unnecessary-template-expression',
  'no-unnecessary-type-arguments',
  'no-unnecessary-type-assertion',
  'no-unnecessary-type-constraint',
  'no-unnecessary-type-conversion',
  'no-unnecessary-type-parameters',
  'no-unsafe-argument',
  'no-unsafe-assignment',
  'no-unsafe-call',
  'no-unsafe-class-instance-assignment',
  'no-unsafe-enum-assignment',
  'no-unsafe-enum-comparison',
  'no-unsafe-function-type',
  'no-unsafe-member-access',
  'no-unsafe-return',
  'only-throw-error',
  'prefer-literal-enum-member',
  'prefer-reduce-type-parameter',
  'prefer-return-this-type',
  'related-getter-setter-pairs',
  'require-await',
  'restrict-plus-operands',
  'return-await',
  'switch-exhaustiveness-check',
  'unified-signatures',
  'use-unknown-in-catch-callback-variable',
].map((name) => `typescript/${name}`);
const errors = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 'error' as const]));

export default defineConfig({
  plugins: ['typescript', 'import'],
  jsPlugins: ['./oxlint.plugin.js'],
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  categories: { correctness: 'error' },
  env: { node: true },
  ignorePatterns: ['dist', 'test/fixtures/models', '**/.venv'],
  rules: errors(STRICT),
  overrides: [
    {
      files: ['**/*.ts'],
      rules: {
        ...errors(STRICT_TYPES),
        complexity: ['error', 12],
        'max-lines': ['error', { max: 300 }],
        'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
        'max-depth': ['error', 3],
        ...imports(),
        'no-restricted-properties': ['error', ...exitAndEnv],
        'import/no-default-export': 'error',
        'switchyard/zod-as-namespace': 'error',
        'typescript/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
        'typescript/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
        'typescript/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
        'typescript/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      },
    },
    { files: ['**/*.{js,cjs}'], rules: { 'no-undef': 'error', 'typescript/require-array-sort-compare': 'off' } },
    // Time and chance are passed in, so that a test can stand still.
    {
      files: ['operator/**/*.ts', 'router/**/*.ts'],
      excludeFiles: ['**/*.test.ts', 'operator/runtime/clock.ts'],
      rules: {
        'no-restricted-globals': ['error', ...['setTimeout', 'setInterval', 'performance'].map(banned)],
        'no-restricted-properties': ['error', ...exitAndEnv, wallClock],
      },
    },
    // Which folder may import which.
    {
      files: ['inference/**/*.ts'],
      rules: imports(refused('inference/ stands alone', '**/operator/**', '**/router/**')),
    },
    {
      files: ['router/**/*.ts'],
      rules: imports(
        refused('the router does not know the model server', '**/inference/**'),
        refused(
          'of the operator the router takes the edge only, and to stay small in-cluster.ts instead of transport.ts',
          '**/operator/**',
          '!**/operator/kube/**',
          '!**/operator/runtime/**',
          '!**/operator/logger.ts',
          '**/operator/kube/transport.ts',
          '**/operator/kube/client-node.ts',
        ),
      ),
    },
    {
      files: ['operator/kube/**/*.ts'],
      rules: imports(refused('kube/ knows no words of the domain', '../**', '!../runtime/**', '!../../test/**')),
    },
    {
      files: ['operator/runtime/**/*.ts'],
      rules: imports(refused('runtime/ knows neither Kubernetes nor the domain', '../**', '!../../test/**')),
    },
    {
      files: PURE,
      excludeFiles: NOT_PURE,
      rules: {
        ...imports(edges),
        'no-restricted-globals': [
          'error',
          ...['process', 'setTimeout', 'setInterval', 'performance', 'fetch', 'console'].map(banned),
        ],
        'no-restricted-properties': ['error', wallClock, chance],
        'switchyard/no-present-time': 'error',
        'typescript/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      },
    },
    {
      files: ['operator/{domain,resources}/**/*.ts'],
      excludeFiles: NOT_PURE,
      rules: imports(
        edges,
        refused(
          'dependencies point inwards',
          '../**',
          '!../domain/**',
          '!../runtime/canonical-json.ts',
          '!../runtime/hash.ts',
          '!../../inference/contract.ts',
          '!../../router/contract.ts',
          '!../../router/split.ts',
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
      // Vitest and oxlint take these by their default export.
      files: ['*.config.ts', 'test/support/*-tier.ts'],
      rules: { 'import/no-default-export': 'off' },
    },
    {
      files: ['**/*.test.ts'],
      rules: {
        'max-lines-per-function': 'off',
        'max-lines': ['error', { max: 400 }],
        'typescript/no-non-null-assertion': 'off',
      },
    },
  ],
});
