import { defineConfig } from 'vitest/config';

/** `npm run test:integration`: against an engine that runs already, not part of `npm test`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.integration.ts'],
    testTimeout: 60_000,
    fileParallelism: false,
  },
});
