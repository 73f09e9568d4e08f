/**
 * What the models of this folder assume about the machine where the reference simulator (SoftHier on GVSoC) and hardware
 * part. Two sets have names, {@link physicalOptions} and {@link referenceOptions}; a run says which one it used.
 */
export interface CostOptions {
  readonly name: 'physical' | 'reference';
  /** The matrix engine writes its results to L1. The reference's timing-only mode does not. */
  readonly matrixWritesResults: boolean;
  /** A DMA write keeps only one row of L1 in flight for each burst of the transfer; otherwise rows stream. */
  readonly dmaWriteWindow: boolean;
  /** Answers and acknowledgements cross the fabric in no time. */
  readonly freeResponses: boolean;
  /** Rows that do not fill a batch on each vector unit are not worked on (a habit of the reference's kernels, not of its machine). */
  readonly vectorSkipsPartialBatches: boolean;
  /** A channel takes a write in pieces of one DRAM burst, one per memory clock, and holds up what comes behind; otherwise a line per cycle. */
  readonly memoryWritePieces: boolean;
  /** A channel acknowledges any number of writes that DRAM has not seen yet; otherwise no more than its write buffer holds. */
  readonly memoryUnlimitedWrites: boolean;
  /** Writes that a channel collects before it turns its bus round for them; 1: none. */
  readonly memoryWriteBatch: number;
  /** Read data of a channel return in the order of the requests. */
  readonly memoryReadsInOrder: boolean;
  /** Refreshes that may be owed, and that may be done ahead. */
  readonly memoryFlexibleRefreshes: number;
}

/** What hardware would do; the default. JEDEC lets eight refreshes wait. */
export const physicalOptions: CostOptions = {
  name: 'physical',
  matrixWritesResults: true,
  dmaWriteWindow: false,
  freeResponses: false,
  vectorSkipsPartialBatches: false,
  memoryWritePieces: false,
  memoryUnlimitedWrites: false,
  memoryWriteBatch: 32,
  memoryReadsInOrder: false,
  memoryFlexibleRefreshes: 8,
};

/** The simplifications of SoftHier on GVSoC, for comparison with its figures. */
export const referenceOptions: CostOptions = {
  name: 'reference',
  matrixWritesResults: false,
  dmaWriteWindow: true,
  freeResponses: true,
  vectorSkipsPartialBatches: true,
  memoryWritePieces: true,
  memoryUnlimitedWrites: true,
  memoryWriteBatch: 32,
  memoryReadsInOrder: true,
  memoryFlexibleRefreshes: 128,
};
