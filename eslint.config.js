import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const root = import.meta.dirname;

/** What a package may not reach for: its results would depend on more than its arguments. */
const impure = ['process', 'Buffer', 'global', 'globalThis', 'performance', 'crypto', 'fetch', 'WebSocket',
  'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', '__dirname', '__filename', 'require'];

export default defineConfig(
  { ignores: ['**/dist/**', '**/node_modules/**', 'docs/api/**', 'coverage/**', 'runs/**', '.nx/**', '.venv/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', 'tools/**/*.mjs'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: [`${root}/tsconfig.eslint.json`], tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Kernels check their rows on entry and then trust them.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An interface may promise what one implementation has at once.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' }],
      'eqeqeq': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.bench.ts', 'packages/*/src/testing/**', 'packages/cluster/src/transport/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', ...impure],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*', 'ws'], message: 'Packages are pure: no files, sockets or clocks outside apps and the transports.' }] }],
      'no-restricted-properties': ['error', { object: 'Date', property: 'now' }, { object: 'Math', property: 'random' }],
      'no-restricted-syntax': ['error', { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Packages know no clock.' }],
    },
  },
  {
    // Tests read JSON that other programs wrote and look into it freely.
    files: ['**/*.test.ts', '**/*.bench.ts', '**/src/testing/**/*.ts', 'test/**/*.ts', 'tools/**/*.mjs'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
