import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { TableWriter } from '@kerf/arrow';
import { FileSink, writeTableFile } from '@kerf/node';
import { stepsTable, tablePath, writeStepRow, type ManifestFile, type StepRow, type TableFacts } from '@kerf/results';

/** The table of the whole wafer, which the coordinator alone can write: a stream while the run lives, a file at its end. */
export class StepsFile {
  readonly #folder: string;
  readonly #facts: TableFacts;
  readonly #sink: FileSink;
  readonly #writer: TableWriter;

  constructor(folder: string, facts: TableFacts) {
    this.#folder = folder;
    this.#facts = facts;
    this.#sink = new FileSink(join(folder, tablePath('steps', null, 'stream')));
    this.#writer = new TableWriter(stepsTable(facts), this.#sink);
  }

  write(row: StepRow): void {
    writeStepRow(this.#writer, this.#facts.clockMegahertz, row);
  }

  finish(): ManifestFile {
    this.#writer.finish();
    this.#sink.close();
    const { path, rows, bytes, sha256 } = writeTableFile(this.#folder, 'steps', null, this.#sink.path);
    rmSync(this.#sink.path);
    return { die: null, path, rows, bytes, sha256 };
  }
}
