import { ResultsError } from './errors.ts';

/** A hash function that is fed piece by piece. Handed in, since packages are pure. */
export interface Hash {
  update(bytes: Uint8Array): void;
  /** The digest in lower-case hexadecimal digits. */
  hex(): string;
}
export type HashFactory = () => Hash;

/** One finished file of a table. */
export interface TableFileDigest {
  readonly table: string;
  /** Null for a table of the whole wafer. */
  readonly die: number | null;
  readonly sha256: string;
}

/** What one die received: a hash over (arrival cycle, packet id) of every packet, in order. */
export interface DieDeliveries {
  readonly die: number;
  readonly digest: string | Uint8Array;
}

/**
 * One hash over everything that a run says: the bytes of all tables and what every die received in which order. The same
 * for any number of processes and any order of the arguments. It covers these lines, each ended by a newline:
 *
 * ```text
 * kerf run digest 1
 * table links die 3 sha256 6f…        by table name, then die; "wafer" for a table of no die
 * deliveries die 3 0a…                by die
 * ```
 *
 * @throws ResultsError `DIGEST_BAD_INPUT` for a digest that is not hexadecimal or something that comes twice
 */
export function runDigest(hash: HashFactory, tables: readonly TableFileDigest[], deliveries: readonly DieDeliveries[]): string {
  const files = [...tables].sort((a, b) => (a.table < b.table ? -1 : a.table > b.table ? 1 : (a.die ?? -1) - (b.die ?? -1)));
  const dies = [...deliveries].sort((a, b) => a.die - b.die);
  return digestLines(hash, [
    'kerf run digest 1',
    ...files.map(({ table, die, sha256 }) => `table ${table} ${dieName(die)} sha256 ${hexOf(sha256)}`),
    ...dies.map(({ die, digest }) => `deliveries ${dieName(die)} ${hexOf(digest)}`),
  ]);
}

/** One hash for all files of a table, by die: what a manifest says of the table as a whole. Throws as {@link runDigest}. */
export function tableDigest(hash: HashFactory, files: readonly Omit<TableFileDigest, 'table'>[]): string {
  const sorted = [...files].sort((a, b) => (a.die ?? -1) - (b.die ?? -1));
  return digestLines(hash, ['kerf table digest 1', ...sorted.map(({ die, sha256 }) => `${dieName(die)} sha256 ${hexOf(sha256)}`)]);
}

function digestLines(hash: HashFactory, lines: readonly string[]): string {
  const subjects = lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
  if (new Set(subjects).size !== lines.length) {
    const twice = subjects.find((subject, at) => subjects.indexOf(subject) !== at) ?? '';
    throw new ResultsError('DIGEST_BAD_INPUT', `A digest takes everything once, but this comes twice: ${twice}.`, { twice });
  }
  const digest = hash();
  for (const line of lines) digest.update(Uint8Array.from(`${line}\n`, (letter) => letter.charCodeAt(0)));
  return digest.hex();
}

function dieName(die: number | null): string {
  return die === null ? 'wafer' : `die ${die}`;
}

function hexOf(digest: string | Uint8Array): string {
  const hex = typeof digest === 'string' ? digest.toLowerCase() : Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (!/^([0-9a-f]{2})+$/.test(hex)) throw new ResultsError('DIGEST_BAD_INPUT', `A digest has hexadecimal digits, got "${hex}".`, { got: hex });
  return hex;
}
