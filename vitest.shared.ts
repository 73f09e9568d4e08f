import { defineProject } from 'vitest/config';

/** One package's tests, run straight from its TypeScript sources and those of its neighbours. */
export function project(name: string) {
  return defineProject({
    ssr: { resolve: { conditions: ['@kerf/source', 'module', 'node', 'development|production'] } },
    test: { name, include: ['src/**/*.test.ts'], benchmark: { include: ['src/**/*.bench.ts'] } },
  });
}
