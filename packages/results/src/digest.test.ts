import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runDigest, tableDigest, type HashFactory } from './digest.ts';

const sha256: HashFactory = () => {
  const hash = createHash('sha256');
  return { update: (bytes) => { hash.update(bytes); }, hex: () => hash.digest('hex') };
};

const hex = (letter: string) => letter.repeat(64);
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const files = fc.uniqueArray(fc.record({ table: fc.constantFrom('steps', 'links', 'experts'), die: fc.option(fc.nat(70)), sha256: digests }), { selector: ({ table, die }) => `${table} ${die}`, minLength: 1, maxLength: 8 });
const deliveries = fc.uniqueArray(fc.record({ die: fc.nat(70), digest: digests }), { selector: ({ die }) => die, minLength: 1, maxLength: 8 });

test('the digest does not depend on the order in which processes report', () => {
  fc.assert(fc.property(files, deliveries, fc.nat(), (tables, dies, turn) => {
    const rotate = <T>(list: T[]) => [...list.slice(turn % list.length), ...list.slice(0, turn % list.length)].reverse();
    expect(runDigest(sha256, rotate(tables), rotate(dies))).toBe(runDigest(sha256, tables, dies));
    const one = tables.filter(({ table }) => table === tables[0]!.table);
    expect(tableDigest(sha256, rotate(one))).toBe(tableDigest(sha256, one));
  }));
});

test('whatever changes in a file or a delivery changes the digest', () => {
  fc.assert(fc.property(files, deliveries, digests, fc.nat(), (tables, dies, other, which) => {
    const digest = runDigest(sha256, tables, dies);
    const changed = <T>(list: readonly T[], change: Partial<T>) => list.map((item, at) => (at === which % list.length ? { ...item, ...change } : item));
    expect(runDigest(sha256, changed(tables, { sha256: other }), dies)).not.toBe(digest);
    expect(runDigest(sha256, tables, changed(dies, { digest: other }))).not.toBe(digest);
    expect(runDigest(sha256, changed(tables, { die: 71 }), dies)).not.toBe(digest);
    expect(runDigest(sha256, tables, dies.slice(1))).not.toBe(digest);
  }));
});

test('it is the hash of the lines that the documentation shows', () => {
  const text = `kerf run digest 1\ntable links die 3 sha256 ${hex('6')}\ntable links die 10 sha256 ${hex('7')}\ntable steps wafer sha256 ${hex('5')}\ndeliveries die 3 0aff\n`;
  const tables = [{ table: 'steps', die: null, sha256: hex('5') }, { table: 'links', die: 10, sha256: hex('7') }, { table: 'links', die: 3, sha256: hex('6') }];
  expect(runDigest(sha256, tables, [{ die: 3, digest: Uint8Array.of(10, 255) }])).toBe(createHash('sha256').update(text).digest('hex'));
  expect(runDigest(sha256, tables, [{ die: 3, digest: '0AFF' }])).toBe(createHash('sha256').update(text).digest('hex'));
});

test.each<[string, () => string]>([
  ['a file twice', () => runDigest(sha256, [{ table: 'links', die: 1, sha256: hex('a') }, { table: 'links', die: 1, sha256: hex('b') }], [])],
  ['a die twice', () => runDigest(sha256, [], [{ die: 1, digest: hex('a') }, { die: 1, digest: hex('a') }])],
  ['no digits', () => runDigest(sha256, [], [{ die: 1, digest: 'not hexadecimal' }])],
  ['an empty digest', () => runDigest(sha256, [], [{ die: 1, digest: new Uint8Array(0) }])],
])('%s is refused', (_, digest) => {
  expect(digest).toThrow(expect.objectContaining({ code: 'DIGEST_BAD_INPUT' }));
});
