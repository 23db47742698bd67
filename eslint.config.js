// The house rules that a machine can check: type-aware lint, and the direction of dependencies.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const clientNode = {
  name: '@kubernetes/client-node',
  message: 'costs 84 MiB of memory: only operator/kube/transport.ts may import it',
};
const edges = ['node:*', '@kubernetes/*', '@aws-sdk/*', '@dot-i/*', 'pino', 'fastify', 'prom-client'];

const bannedGlobals = (...names) =>
  names.map((name) => ({ name, message: 'this belongs to an edge; pass the value in' }));
const bannedProperties = [
  { object: 'process', property: 'exit', message: 'only main.ts ends the process' },
  { object: 'process', property: 'env', message: 'only config.ts reads the environment' },
];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'test/fixtures/models', '**/.venv'] },
  js.configs.recommended,
  { files: ['**/*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 12],
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-depth': ['error', 3],
      'no-restricted-imports': ['error', { paths: [clientNode] }],
      'no-restricted-properties': ['error', ...bannedProperties],
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
  {
    files: ['operator/domain/**/*.ts', 'operator/resources/**/*.ts', 'router/haproxy/config.ts', 'router/split.ts'],
    ignores: ['**/*.test.ts', 'operator/domain/crd-file.ts', 'operator/domain/revision.ts', 'operator/domain/names.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [clientNode],
          patterns: [{ group: [...edges, '**/kube/**'], message: 'domain/ and resources/ are pure' }],
        },
      ],
      'no-restricted-globals': ['error', ...bannedGlobals('process', 'setTimeout', 'setInterval', 'fetch', 'console')],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
          message: 'time is passed in',
        },
      ],
    },
  },
  {
    files: ['inference/**/*.ts', 'router/**/*.ts'],
    ignores: ['router/haproxy/config.ts', 'router/split.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [clientNode],
          patterns: [
            {
              group: ['@kubernetes/*', '@dot-i/*', '**/kube/transport.ts'],
              message: 'inference/ and router/ must stay small',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['operator/kube/transport.ts', 'operator/shell.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['**/main.ts', '**/config.ts', 'test/**/*.ts', '**/*.test.ts', 'operator/domain/crd-file.ts'],
    rules: { 'no-restricted-properties': 'off' },
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
