import { TableWriter, type ByteSink, type TableWriterState } from '@kerf/arrow';
import { ResultsError } from './errors.ts';
import { dieOfLink, writeCollectiveRow, writeExpertRow, writeLinkRow, type CollectiveRow, type ExpertRow, type LinkRow } from './rows.ts';
import { collectivesTable, expertsTable, linksTable, type TableFacts } from './tables.ts';
import { TotalsKeeper, type RunTotals, type TotalsFacts, type TotalsState } from './totals.ts';

/** The tables of which every die has a file, in canonical order. */
export const DIE_TABLES = ['collectives', 'experts', 'links'] as const;
export type DieTable = (typeof DIE_TABLES)[number];

export interface RunWritersFacts extends TableFacts, TotalsFacts {
  /** The dies whose rows come here. */
  readonly dies: readonly number[];
}

/** Gives the stream that a table of a die is written to, at its start, or, when restoring, at the end of what it keeps. */
export type OpenTable = (table: DieTable, die: number) => ByteSink;

export interface RunWritersState {
  readonly tables: readonly { readonly table: DieTable; readonly die: number; readonly state: TableWriterState }[];
  readonly totals: TotalsState;
}

export interface WrittenTable {
  readonly table: DieTable;
  readonly die: number;
  readonly rows: number;
  /** Bytes of the stream. */
  readonly bytes: number;
}

/** Rows that a live stream holds back. A process has three streams per die; the finished files are cut anew anyway. */
const STREAM_BATCH_ROWS = 8192;

/**
 * Writes the tables of some dies while a run lives, and adds up their totals. Rows of one table and die must come in the
 * same order however the wafer is cut; nothing here sorts. Memory: at most 8,192 rows per table and die (0.6 MB of
 * `links`), less while a table is short.
 */
export class RunWriters {
  readonly #facts: RunWritersFacts;
  readonly #writers: Readonly<Record<DieTable, Map<number, TableWriter>>>;
  readonly #totals: TotalsKeeper;

  constructor(facts: RunWritersFacts, open: OpenTable, state?: RunWritersState) {
    this.#facts = facts;
    const specs = { collectives: collectivesTable(facts), experts: expertsTable(facts), links: linksTable(facts) };
    const options = { batchRows: STREAM_BATCH_ROWS };
    const saved = new Map(state?.tables.map(({ table, die, state: writer }) => [`${table} ${die}`, writer]));
    if (state !== undefined && (saved.size !== DIE_TABLES.length * facts.dies.length || !DIE_TABLES.every((table) => facts.dies.every((die) => saved.has(`${table} ${die}`))))) {
      throw new ResultsError('RESULTS_BAD_STATE', `The saved tables are not those of dies ${facts.dies.join(', ')}.`);
    }
    const writersOf = (table: DieTable) => new Map(facts.dies.map((die) => [die, new TableWriter(specs[table], open(table, die), options, saved.get(`${table} ${die}`))]));
    this.#writers = { collectives: writersOf('collectives'), experts: writersOf('experts'), links: writersOf('links') };
    this.#totals = state === undefined ? new TotalsKeeper(facts) : TotalsKeeper.restore(facts, state.totals);
  }

  /** Continues streams that were cut back to the `bytesWritten` of their states. */
  static restore(facts: RunWritersFacts, open: OpenTable, state: RunWritersState): RunWriters {
    return new RunWriters(facts, open, state);
  }

  link(row: Readonly<LinkRow>): void {
    writeLinkRow(this.#writer('links', dieOfLink(this.#facts.grid, row)), this.#facts.grid, row);
    this.#totals.link(row);
  }

  expert(row: Readonly<ExpertRow>): void {
    writeExpertRow(this.#writer('experts', row.die), row);
    this.#totals.expert(row);
  }

  collective(row: Readonly<CollectiveRow>): void {
    writeCollectiveRow(this.#writer('collectives', row.die), row);
    this.#totals.collective(row);
  }

  /** So far. */
  totals(): RunTotals {
    return this.#totals.totals();
  }

  save(): RunWritersState {
    const tables = this.#all().map(({ table, die, writer }) => ({ table, die, state: writer.save() }));
    return { tables, totals: this.#totals.save() };
  }

  /** Ends every stream; the owner of the sinks closes them and makes the files (`streamToFile`). */
  finish(): WrittenTable[] {
    return this.#all().map(({ table, die, writer }) => {
      writer.finish();
      return { table, die, rows: writer.rows, bytes: writer.bytesWritten };
    });
  }

  #writer(table: DieTable, die: number): TableWriter {
    const writer = this.#writers[table].get(die);
    if (writer === undefined) throw new Error(`A row of table ${table} for die ${die}, but only dies ${this.#facts.dies.join(', ')} are written here.`);
    return writer;
  }

  #all(): { table: DieTable; die: number; writer: TableWriter }[] {
    return DIE_TABLES.flatMap((table) => [...this.#writers[table]].map(([die, writer]) => ({ table, die, writer })));
  }
}
