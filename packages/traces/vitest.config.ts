import { mergeConfig } from 'vitest/config';
import { project } from '../../vitest.shared.ts';

// Properties over many files take a second or two, and a multiple of that on a busy machine.
export default mergeConfig(project('traces'), { test: { testTimeout: 60_000 } });
