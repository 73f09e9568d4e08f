import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readError, systemCode, writeError } from '@kerf/node';
import { CliError } from './errors.ts';
import { makeFolder } from './make-folder.ts';

export const MANIFEST = 'manifest.json';
/** The manifest while it is being written; what a run that was cut off in that moment leaves behind. */
const MANIFEST_DRAFT = 'manifest.json.tmp';
/** Set aside at the start, given back at the end: a full disk must not keep a run from saying that it failed. */
const RESERVE = 'manifest.reserve.tmp';
const RESERVE_BYTES = 64 * 1024;

export interface RunFolderOptions {
  /** Remove what is there, if and only if it is a run folder. */
  readonly force: boolean;
  /** The folders that a run writes beside its manifest, one per table. */
  readonly tables: readonly string[];
  /** Whether parsed JSON is a manifest of ours. */
  readonly isManifest: (value: unknown) => boolean;
}

/** What a run writes inside the folder of a table: one file per die, a stream while the run lives and an IPC file at its end. */
const partName = /^[a-z0-9-]+\.(?:arrow|arrows)(?:\.tmp)?$/;

/**
 * The folder of one run. It exists from the first moment, and its manifest says how far the run is: whoever finds the folder
 * later, after a crash or a power cut, reads `running` and not `complete`.
 */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder, with its parents, and writes the first manifest into it.
   *
   * @throws CliError `RUN_FOLDER_BUSY`, `RUN_FOLDER_EXISTS`, `RUN_FOLDER_FOREIGN`, `FILE_UNWRITABLE`, `DISK_FULL`
   */
  static create(path: string, firstManifest: string, options: RunFolderOptions): RunFolder {
    const folder = new RunFolder(path);
    let made = false;
    const unlock = lock(path);
    try {
      if (exists(path)) {
        if (!options.force) {
          const message = `The output folder ${path} exists. Choose another with --out, or give --force to replace the run in it.`;
          throw new CliError('RUN_FOLDER_EXISTS', message, { path });
        }
        removeRunFolder(path, options);
      }
      mkdirSync(path);
      made = true;
      writeDurably(join(path, RESERVE), new Uint8Array(RESERVE_BYTES));
      folder.writeManifest(firstManifest);
      for (const table of options.tables) mkdirSync(join(path, table));
    } catch (error) {
      // Half a run folder would belong to nobody. This one did not exist a moment ago, so all that is in it is ours.
      if (made) rmSync(path, { recursive: true, force: true });
      unlock();
      throw writeError(error, path);
    }
    return folder;
  }

  /** Replaces the manifest in one step: a reader sees the old one or the new one, whole. */
  writeManifest(manifest: string): void {
    const draft = join(this.path, MANIFEST_DRAFT);
    try {
      writeDurably(draft, new TextEncoder().encode(manifest));
      renameSync(draft, join(this.path, MANIFEST));
    } catch (error) {
      rmSync(draft, { force: true });
      throw writeError(error, join(this.path, MANIFEST));
    }
  }

  /** Writes the last manifest, with the room that was set aside for it. */
  close(lastManifest: string): void {
    rmSync(join(this.path, RESERVE), { force: true });
    this.writeManifest(lastManifest);
  }
}

/** The first of `parent/0001`, `parent/0002`, … that is free: runs without `--out` never meet. */
export function nextRunFolder(parent: string): string {
  let names: string[] = [];
  try {
    names = readdirSync(parent);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw readError(error, parent);
  }
  const last = Math.max(0, ...names.filter((name) => /^\d{4,9}$/.test(name)).map(Number));
  return join(parent, String(last + 1).padStart(4, '0'));
}

/** Looks at everything first, and removes nothing unless all of it is what a run writes. */
function removeRunFolder(path: string, { tables, isManifest }: RunFolderOptions): void {
  const foreign = (what: string): CliError => new CliError('RUN_FOLDER_FOREIGN', `--force removes only run folders of Kerf, and ${path} ${what}.`, { path });
  if (!lstatSync(path).isDirectory()) throw foreign('is no folder');
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isFile() && [MANIFEST, MANIFEST_DRAFT, RESERVE].includes(entry.name)) {
      files.push(inside);
    } else if (entry.isDirectory() && tables.includes(entry.name)) {
      folders.push(inside);
      for (const part of readdirSync(inside, { withFileTypes: true })) {
        if (!part.isFile() || !partName.test(part.name)) throw foreign(`holds ${entry.name}/${part.name}, which no run writes`);
        files.push(join(inside, part.name));
      }
    } else {
      throw foreign(`holds ${entry.name}, which no run writes`);
    }
  }
  if (!manifestIsOurs(join(path, MANIFEST), isManifest)) throw foreign(`has no ${MANIFEST} of ours`);
  // The manifest goes last: cut off in between, what remains is still a run folder, and one that says it is incomplete or lacks tables.
  files.sort((a, b) => Number(a.endsWith(MANIFEST)) - Number(b.endsWith(MANIFEST)));
  for (const file of files) unlinkSync(file);
  for (const folder of folders) rmdirSync(folder);
  rmdirSync(path);
}

function manifestIsOurs(file: string, isManifest: (value: unknown) => boolean): boolean {
  try {
    return isManifest(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, 'w');
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Claims a run folder for this process until it ends: a file beside the folder holds the process id. One that a killed
 * process left behind counts for nothing.
 *
 * @returns gives the claim up
 * @throws CliError `RUN_FOLDER_BUSY`
 */
function lock(path: string): () => void {
  const file = `${path}.lock`;
  const unlock = (): void => rmSync(file, { force: true });
  for (;;) {
    try {
      makeFolder(dirname(path));
      const descriptor = openSync(file, 'wx');
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      process.once('exit', unlock);
      return unlock;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw writeError(error, path);
    }
    const holder = holderOf(file, path);
    if (holder === process.pid) return () => undefined; // claimed already, and given up when this process ends
    if (isAlive(holder)) {
      throw new CliError('RUN_FOLDER_BUSY', `Another run (pid ${holder}) is writing to ${path}. Choose another folder with --out, or wait for it.`, { path, pid: holder });
    }
    unlock();
  }
}

function holderOf(file: string, path: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    throw writeError(error, path);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
