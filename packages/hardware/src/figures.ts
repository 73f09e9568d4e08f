import { dies, dieXY, tileIdOf, tiles, tilesPerDie } from './coordinates.ts';
import { countDefects, isAbsentDie, isAbsentHubLink, isAbsentLink, isAbsentTile } from './defects.ts';
import { edgeNodes } from './edge-nodes.ts';
import { rationalOf, type Rate } from './rational.ts';
import { creditCyclesOf, ejectionLinkOf } from './settings.ts';
import type { Hardware, LinkSpec, SyncLinkSpec, TileLinkSpec } from './spec.ts';

/** What follows from the numbers of a machine, in units per second. Prefixes are left to whoever prints. */
export interface Figures {
  /** One die without defects. */
  readonly die: PartFigures;
  /** The wafer, with what is absent left out. */
  readonly wafer: PartFigures;
  /** Links, in the order in which a packet meets them. */
  readonly links: readonly LinkFigures[];
  /** A packet of one flit from the first tile of the wafer to the last, nothing else on its way and nothing absent. */
  readonly cornerToCorner: { readonly cycles: number; readonly nanoseconds: number; readonly tileLinks: number; readonly dieLinks: number };
}

/** Peaks of a die, or of a wafer. */
export interface PartFigures {
  readonly tiles: number;
  /** Floating-point operations per second of all matrix engines. */
  readonly flops: { readonly fp16: number; readonly fp8: number };
  /** Floating-point operations per second of all vector engines, 16 bit. */
  readonly vectorFlops: number;
  /** Scratchpads, bytes and bytes per second. */
  readonly l1Bytes: number;
  readonly l1BytesPerSecond: number;
  /** Memory channels; 0 on a machine without. */
  readonly memoryBytes: number;
  readonly memoryBytesPerSecond: number;
  /** Bytes per second over the narrower cut through the middle, each way; null where there is nothing to cut. */
  readonly bisectionBytesPerSecond: number | null;
}

/** One kind of link. */
export interface LinkFigures {
  /** Path of the link in the hardware file. */
  readonly path: string;
  /** What it joins. */
  readonly what: string;
  readonly bytesPerSecond: number;
  /** Latency of a hop. */
  readonly cycles: number;
  /** Bytes that can be on their way or in the buffer before a credit must be back; null where the fabric derives them. */
  readonly windowBytes: number | null;
  /** Bytes that the link carries in a round trip: less window than this throttles it. */
  readonly roundTripBytes: number;
  /** Share of the bandwidth that the window lets through in the long run, 0 to 1; 1 where the fabric derives it. */
  readonly share: number;
}

/** Derives the figures of a machine. */
export function figuresOf(hardware: Hardware): Figures {
  return { die: dieFigures(hardware), wafer: waferFigures(hardware), links: linkFigures(hardware), cornerToCorner: cornerToCorner(hardware) };
}

function dieFigures(hardware: Hardware): PartFigures {
  const { tilesX, tilesY } = hardware.die;
  const perLink = perSecond(hardware, hardware.link.bytesPerCycle);
  const cut = Math.min(tilesX > 1 ? tilesY : Infinity, tilesY > 1 ? tilesX : Infinity);
  return part(hardware, tilesPerDie(hardware), 1, cut === Infinity ? null : cut * perLink);
}

function waferFigures(hardware: Hardware): PartFigures {
  const absent = countDefects(hardware);
  return part(hardware, tiles(hardware) - absent.tiles, dies(hardware) - absent.dies, waferBisection(hardware));
}

function part(hardware: Hardware, tileCount: number, dieCount: number, bisectionBytesPerSecond: number | null): PartFigures {
  const { tile, memory, clockMegahertz } = hardware;
  const each = tileCount * clockMegahertz * 1e6;
  return {
    tiles: tileCount,
    flops: { fp16: each * tile.matrix.flopsPerCycle.fp16, fp8: each * tile.matrix.flopsPerCycle.fp8 },
    vectorFlops: each * tile.vector.flopsPerCycle,
    l1Bytes: tileCount * tile.l1Bytes,
    l1BytesPerSecond: each * tile.l1BytesPerCycle,
    memoryBytes: memory === null ? 0 : dieCount * memory.capacityBytes,
    memoryBytesPerSecond: memory === null ? 0 : dieCount * memory.channels * perSecond(hardware, memory.bytesPerCyclePerChannel),
    bisectionBytesPerSecond,
  };
}

/**
 * The narrower of two cuts: between the columns left and right of the middle, and between the rows above and below it.
 * Absent links are not counted. With hubs the cut runs between dies, unless there is only one.
 */
function waferBisection(hardware: Hardware): number | null {
  const { wafer, die, d2d } = hardware;
  if (d2d?.shape === 'hub' && dies(hardware) > 1) {
    const rate = perSecond(hardware, d2d.link.bytesPerCycle);
    const count = (across: number, along: number, dieAt: (across: number, along: number) => number, direction: 'east' | 'south') => {
      if (across < 2) return Infinity;
      let links = 0;
      for (let i = 0; i < along; i++) if (!isAbsentHubLink(hardware, dieAt(Math.floor(across / 2) - 1, i), direction)) links++;
      return links * rate;
    };
    return Math.min(
      count(wafer.diesX, wafer.diesY, (x, y) => y * wafer.diesX + x, 'east'),
      count(wafer.diesY, wafer.diesX, (y, x) => y * wafer.diesX + x, 'south'),
    );
  }
  const width = wafer.diesX * die.tilesX;
  const height = wafer.diesY * die.tilesY;
  const cut = (across: number, along: number, tilesOfDie: number, direction: 'east' | 'south') => {
    if (across < 2) return Infinity;
    const before = Math.floor(across / 2) - 1;
    const overDieEdge = (before + 1) % tilesOfDie === 0;
    const rate = perSecond(hardware, overDieEdge && d2d !== null ? d2d.link.bytesPerCycle : hardware.link.bytesPerCycle);
    let links = 0;
    for (let i = 0; i < along; i++) {
      const [x, y] = direction === 'east' ? [before, i] : [i, before];
      const dieId = Math.floor(y / die.tilesY) * wafer.diesX + Math.floor(x / die.tilesX);
      if (!isAbsentLink(hardware, tileIdOf(hardware, dieId, x % die.tilesX, y % die.tilesY), direction)) links++;
    }
    return links * rate;
  };
  const least = Math.min(cut(width, height, die.tilesX, 'east'), cut(height, width, die.tilesY, 'south'));
  return least === Infinity ? null : least;
}

function linkFigures(hardware: Hardware): LinkFigures[] {
  const { link, localLink, ejectionLink, syncLink, d2d } = hardware;
  const flitBytes = link.bytesPerCycle;
  const of = (path: string, what: string, spec: LinkSpec | TileLinkSpec | SyncLinkSpec, flit = flitBytes): LinkFigures => {
    const { numerator, denominator } = rationalOf(spec.bytesPerCycle);
    const roundTripBytes = ((spec.cycles + creditCyclesOf(spec)) * numerator) / denominator;
    const windowBytes = spec.credits === undefined ? null : spec.credits * flit;
    const share = windowBytes === null ? 1 : Math.min(1, windowBytes / roundTripBytes);
    return { path, what, bytesPerSecond: perSecond(hardware, spec.bytesPerCycle), cycles: spec.cycles, windowBytes, roundTripBytes, share };
  };
  const links = [of('localLink', ejectionLink === undefined ? 'tile and router' : 'tile to router', localLink)];
  if (ejectionLink !== undefined) links.push(of('ejectionLink', 'router to tile', ejectionLink));
  links.push(of('link', 'tile to tile', link));
  if (d2d?.shape === 'hub') links.push(of('d2d.gatewayLink', 'gateway and hub', d2d.gatewayLink));
  if (d2d !== null) links.push(of('d2d.link', d2d.shape === 'hub' ? 'hub to hub' : 'die to die, each lane', d2d.link));
  if (syncLink !== undefined) links.push(of('syncLink', 'tile to tile, narrow', syncLink, syncLink.bytesPerCycle));
  return links;
}

/**
 * Injection, hops, ejection. A flit that comes from a slow link waits at the next, faster one until all of it is there, so
 * each step from slow to fast adds the difference; links of one rate in a row add nothing.
 */
function cornerToCorner(hardware: Hardware): Figures['cornerToCorner'] {
  const { wafer, die, link, localLink, d2d, clockMegahertz } = hardware;
  const way: Pick<LinkSpec, 'bytesPerCycle' | 'cycles'>[] = [localLink];
  let cycles = localLink.cycles;
  let tileLinks = 0;
  let dieLinks = 0;
  const walk = (links: number) => {
    if (links === 0) return;
    way.push(link);
    tileLinks += links;
    cycles += links * link.cycles;
  };
  const step = (spec: LinkSpec, links = 1) => {
    way.push(spec);
    cycles += links * spec.cycles;
  };
  if (d2d?.shape === 'hub' && dies(hardware) > 1) {
    const toGateway = (x: number, y: number) => Math.min(...d2d.gateways.map((at) => Math.abs(at.x - x) + Math.abs(at.y - y)));
    dieLinks = wafer.diesX - 1 + wafer.diesY - 1;
    walk(toGateway(0, 0));
    step(d2d.gatewayLink);
    step(d2d.link, dieLinks);
    step(d2d.gatewayLink);
    walk(toGateway(die.tilesX - 1, die.tilesY - 1));
  } else {
    for (const [diesAlong, tilesAlong] of [[wafer.diesX, die.tilesX], [wafer.diesY, die.tilesY]] as const) {
      walk(tilesAlong - 1);
      for (let crossed = 1; crossed < diesAlong && d2d !== null; crossed++) {
        step(d2d.link);
        dieLinks++;
        walk(tilesAlong - 1);
      }
    }
  }
  step(ejectionLinkOf(hardware));
  const flitCycles = way.map(({ bytesPerCycle }) => timeOf(link.bytesPerCycle, bytesPerCycle));
  flitCycles.forEach((time, i) => (cycles += Math.max(0, time - (flitCycles[i + 1] ?? 1))));
  return { cycles, nanoseconds: (cycles * 1000) / clockMegahertz, tileLinks, dieLinks };
}

/** Whole cycles ≥ 1 that a link needs for some bytes. */
function timeOf(bytes: number, rate: Rate): number {
  const { numerator, denominator } = rationalOf(rate);
  return Math.ceil((bytes * denominator) / numerator);
}

function perSecond({ clockMegahertz }: Hardware, rate: Rate): number {
  const { numerator, denominator } = rationalOf(rate);
  return (numerator * clockMegahertz * 1e6) / denominator;
}

/** What a person should know of a machine that can be built, as sentences; none where there is nothing to say. */
export function remarksOn(hardware: Hardware): string[] {
  const remarks: string[] = [];
  for (const { path, windowBytes, roundTripBytes, share } of linkFigures(hardware)) {
    if (share >= 1) continue;
    remarks.push(
      `${path}: the credit window of ${windowBytes} bytes is less than the ${Math.ceil(roundTripBytes)} bytes that the link carries in a round trip; a long transfer gets at most ${(share * 100).toFixed(1)} % of its bandwidth. Leave credits out to have enough.`,
    );
  }
  return remarks.concat(memoryRemarks(hardware));
}

function memoryRemarks(hardware: Hardware): string[] {
  if (hardware.defects === undefined || hardware.memory?.edgeNodes === undefined) return [];
  const nodes = edgeNodes(hardware);
  const lost: string[] = [];
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    if (isAbsentDie(hardware, dieId)) continue;
    const { x, y } = dieXY(hardware, dieId);
    for (const { edge, tile } of nodes) {
      if (isAbsentTile(hardware, tileIdOf(hardware, dieId, tile.x, tile.y))) lost.push(`${edge} of tile (${tile.x}, ${tile.y})${dies(hardware) === 1 ? '' : ` of die (${x}, ${y})`}`);
    }
  }
  if (lost.length === 0) return [];
  const what = lost.length === 1 ? 'a memory node stands at an absent tile' : `${lost.length} memory nodes stand at absent tiles`;
  return [`memory.edgeNodes: ${what}: ${lost.slice(0, 6).join(', ')}${lost.length > 6 ? ', …' : ''}.`];
}
