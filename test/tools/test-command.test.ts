import { expect, test } from 'vitest';
import { closingLine, countTests } from '../../tools/test.mjs';

const lenient = { strictSkips: false, environment: {} };

function report(...files: { status?: string; message?: string; tests: [fullName: string, status: string][] }[]) {
  return {
    testResults: files.map(({ status = 'passed', message = '', tests }) => ({
      name: 'some.test.ts', status, message, assertionResults: tests.map(([fullName, state]) => ({ fullName, status: state })),
    })),
  };
}

test('the closing line counts what was executed, and skipped tests only when there are some', () => {
  const all = report({ tests: [['a', 'passed'], ['b', 'passed']] });
  expect(closingLine(countTests(all, 0, lenient))).toBe('2 passed, 0 failed');
  const mixed = report({ status: 'failed', tests: [['a', 'passed'], ['b', 'failed'], ['c', 'skipped'], ['d', 'todo']] });
  expect(closingLine(countTests(mixed, 1, lenient))).toBe('1 passed, 1 failed, 2 skipped');
});

test('a run without a test is a failure, whatever its exit code', () => {
  expect(countTests(report(), 0, lenient)).toMatchObject({ failed: 1, faults: ['No test was executed.'] });
  expect(countTests(undefined, 1, lenient)).toMatchObject({ failed: 1 });
  expect(countTests(report({ tests: [['a', 'skipped']] }), 0, lenient)).toMatchObject({ failed: 1, skipped: 1 });
});

test('a file that could not be loaded is one failure with its first line', () => {
  const broken = report({ tests: [['a', 'passed']] }, { status: 'failed', message: 'Cannot find package x\n  at …', tests: [] });
  expect(countTests(broken, 1, lenient)).toMatchObject({ passed: 1, failed: 1, faults: ['some.test.ts: Cannot find package x'] });
});

test('an error outside the tests is a failure though every test passed', () => {
  expect(countTests(report({ tests: [['a', 'passed']] }), 1, lenient)).toMatchObject({ passed: 1, failed: 1 });
});

test('strict: a skip is a failure unless what it needs is declared absent', () => {
  const tests = report({ tests: [['a', 'passed'], ['b (needs KERF_PYTHON)', 'skipped'], ['c (needs KERF_REFERENCE)', 'skipped'], ['d', 'skipped']] });
  const strict = (environment: Record<string, string | undefined>) => countTests(tests, 0, { strictSkips: true, environment });
  expect(strict({})).toMatchObject({ passed: 1, failed: 3, skipped: 0 });
  expect(strict({ KERF_PYTHON: 'none' })).toMatchObject({ failed: 2, skipped: 1, faults: ['skipped: c (needs KERF_REFERENCE)', 'skipped: d'] });
  expect(strict({ KERF_PYTHON: '/usr/bin/python3', KERF_REFERENCE: 'none' })).toMatchObject({ failed: 2, skipped: 1 });
});
