import type { TableWriter } from '@kerf/arrow';
import { nanosecondsFromCycles, type Grid } from '@kerf/hardware';
import { PORT, PORT_NAMES, ROUTER_KIND } from './tables.ts';

/*
 * Rows as their writers take them: numbers only, so that a caller can fill one object again and again. What follows from
 * other columns (place of a router, length of a span) is derived here, once, and cannot contradict them.
 */

export interface StepRow {
  step: number;
  startCycle: number;
  endCycle: number;
  tokens: number;
  dispatchedCopies: number;
  combinedCopies: number;
  packetHops: number;
}

export interface LinkRow {
  step: number;
  layer: number;
  /** An index of PHASE. */
  phase: number;
  bin: number;
  /** An index of ROUTER_KIND. */
  routerKind: number;
  /** Tile on the wafer, or die of a hub. */
  router: number;
  /** An index of PORT_NAMES. */
  port: number;
  bytes: number;
  busyCycles: number;
  packets: number;
  creditStallCycles: number;
  arbitrationStallCycles: number;
}

export interface ExpertRow {
  step: number;
  layer: number;
  expert: number;
  die: number;
  tokens: number;
  tiles: number;
  startCycle: number;
  endCycle: number;
  busyCycles: number;
  flops: number;
}

export interface CollectiveRow {
  step: number;
  layer: number;
  /** An index of PHASE. */
  phase: number;
  die: number;
  startCycle: number;
  endCycle: number;
  copiesSent: number;
  copiesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  messagesSent: number;
}

export function writeStepRow(writer: TableWriter, clockMegahertz: number, row: Readonly<StepRow>): void {
  const cycles = row.endCycle - row.startCycle;
  writer.set(0, row.step);
  writer.set(1, row.startCycle);
  writer.set(2, row.endCycle);
  writer.set(3, cycles);
  writer.set(4, nanosecondsFromCycles(cycles, clockMegahertz));
  writer.set(5, row.tokens);
  writer.set(6, row.dispatchedCopies);
  writer.set(7, row.combinedCopies);
  writer.set(8, row.packetHops);
  writer.endRow();
}

/** The die that a link's rows belong to: that of its source router. */
export function dieOfLink(grid: Grid, row: Readonly<LinkRow>): number {
  return row.routerKind === ROUTER_KIND.hub ? row.router : Math.floor(row.router / (grid.die.tilesX * grid.die.tilesY));
}

export function writeLinkRow(writer: TableWriter, grid: Grid, row: Readonly<LinkRow>): void {
  const isTile = row.routerKind === ROUTER_KIND.tile;
  if (isTile ? row.port >= PORT.firstGateway : row.port === PORT.local || row.port === PORT.hub) {
    throw new Error(`A ${isTile ? 'tile' : 'hub'} router has no port ${PORT_NAMES[row.port]}.`);
  }
  const die = dieOfLink(grid, row);
  let x = die % grid.wafer.diesX;
  let y = Math.floor(die / grid.wafer.diesX);
  if (isTile) {
    const { tilesX, tilesY } = grid.die;
    const localTile = row.router - die * tilesX * tilesY;
    x = x * tilesX + (localTile % tilesX);
    y = y * tilesY + Math.floor(localTile / tilesX);
  }
  writer.set(0, row.step);
  writer.set(1, row.layer);
  writer.set(2, row.phase);
  writer.set(3, row.bin);
  writer.set(4, die);
  writer.set(5, row.routerKind);
  writer.set(6, row.router);
  writer.set(7, x);
  writer.set(8, y);
  writer.set(9, row.port);
  writer.set(10, row.bytes);
  writer.set(11, row.busyCycles);
  writer.set(12, row.packets);
  writer.set(13, row.creditStallCycles);
  writer.set(14, row.arbitrationStallCycles);
  writer.endRow();
}

export function writeExpertRow(writer: TableWriter, row: Readonly<ExpertRow>): void {
  writer.set(0, row.step);
  writer.set(1, row.layer);
  writer.set(2, row.expert);
  writer.set(3, row.die);
  writer.set(4, row.tokens);
  writer.set(5, row.tiles);
  writer.set(6, row.startCycle);
  writer.set(7, row.endCycle);
  writer.set(8, row.busyCycles);
  writer.set(9, row.flops);
  writer.endRow();
}

export function writeCollectiveRow(writer: TableWriter, row: Readonly<CollectiveRow>): void {
  writer.set(0, row.step);
  writer.set(1, row.layer);
  writer.set(2, row.phase);
  writer.set(3, row.die);
  writer.set(4, row.startCycle);
  writer.set(5, row.endCycle);
  writer.set(6, row.endCycle - row.startCycle);
  writer.set(7, row.copiesSent);
  writer.set(8, row.copiesReceived);
  writer.set(9, row.bytesSent);
  writer.set(10, row.bytesReceived);
  writer.set(11, row.messagesSent);
  writer.endRow();
}
