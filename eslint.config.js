import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./src/htm/tsconfig.json', './src/dashboard/tsconfig.json', './tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a const object and a union type.' },
      ],
    },
  },
  {
    files: ['examples/traffic/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'fetch', 'history', 'location', 'setTimeout'].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // Kernels index typed arrays with computed, proven indexes (src/htm has noUncheckedIndexedAccess off).
    files: ['src/htm/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-properties': [
        'error',
        ...[
          'exp',
          'log',
          'pow',
          'sin',
          'cos',
          'tan',
          'log10',
          'log2',
          'log1p',
          'expm1',
          'tanh',
          'random',
        ].map((property) => ({
          object: 'Math',
          property,
          message: 'Results must not depend on the JavaScript engine: use htm/numeric.ts.',
        })),
        { object: 'Date', property: 'now', message: 'No clock in src/htm.' },
      ],
    },
  },
);
