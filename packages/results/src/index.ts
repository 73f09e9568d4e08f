export { runDigest, tableDigest, type DieDeliveries, type Hash, type HashFactory, type TableFileDigest } from './digest.ts';
export { ResultsError, type ResultsErrorCode } from './errors.ts';
export {
  lostCopies, MANIFEST_FORMAT_VERSION, manifestSchema, manifestText, parseManifest,
  type ConservationRow, type Manifest, type ManifestFile, type ManifestProcess, type ManifestTable, type RunStatus,
} from './manifest.ts';
export { dieOfLink, writeCollectiveRow, writeExpertRow, writeLinkRow, writeStepRow, type CollectiveRow, type ExpertRow, type LinkRow, type StepRow } from './rows.ts';
export { DIE_TABLES, RunWriters, type DieTable, type OpenTable, type RunWritersFacts, type RunWritersState, type WrittenTable } from './run-writers.ts';
export { duration, linkName, summaryLines, type SummaryInput } from './summary.ts';
export {
  collectivesTable, expertsTable, linksTable, MAX_GATEWAYS, PHASE, PHASE_NAMES, PORT, PORT_NAMES, ROUTER_KIND, ROUTER_KIND_NAMES, runTables, stepsTable, TABLE_NAMES, tablePath,
  type Phase, type RouterKind, type TableFacts, type TableName,
} from './tables.ts';
export { mergeTotals, mostLoadedExpert, phaseLatency, TotalsKeeper, type ExpertLoad, type LinkTotal, type PhaseLatency, type PhaseSpans, type RunTotals, type TotalsFacts, type TotalsState } from './totals.ts';
