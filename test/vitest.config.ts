import { defineProject } from 'vitest/config';

/** What only several packages show together. Runs against the built packages where it starts processes. */
export default defineProject({
  ssr: { resolve: { conditions: ['@kerf/source', 'module', 'node', 'development|production'] } },
  test: { name: 'whole', include: ['**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
