import { checkDefects } from './defect-checks.ts';
import { HardwareError, type Refuse } from './errors.ts';
import { MAX_COORDINATE, MAX_TILES, type Hardware, type LinkSpec, type SyncLinkSpec, type TileLinkSpec } from './spec.ts';

/**
 * What a schema cannot say of a machine of the right shape: that its parts fit together.
 *
 * @param source what a person calls the file
 * @param at where the machine lies in it, `''` for the whole file
 * @throws HardwareError
 */
export function crossCheckHardware(hardware: Hardware, source: string, at = ''): void {
  const refuse: Refuse = (code, path, expected, got, why) => {
    const place = at === '' ? path : `${at}.${path}`;
    throw new HardwareError(code, `${source}: ${place} must be ${expected}, got ${got}. ${why}`, { source, path: place, expected, got });
  };
  checkSize(hardware, refuse);
  checkPackets('link', hardware.link, refuse);
  if (hardware.syncLink !== undefined) checkPackets('syncLink', hardware.syncLink, refuse);
  checkDieToDie(hardware, refuse);
  for (const [path, link, packets] of linksOf(hardware)) checkCredits(path, link, packets, refuse);
  checkReduction(hardware, refuse);
  checkMemory(hardware, refuse);
  checkDefects(hardware, refuse);
}

function checkSize({ wafer, die }: Hardware, refuse: Refuse): void {
  for (const [axis, dies, tiles] of [['X', wafer.diesX, die.tilesX], ['Y', wafer.diesY, die.tilesY]] as const) {
    if (dies * tiles <= MAX_COORDINATE + 1) continue;
    const most = Math.floor((MAX_COORDINATE + 1) / dies);
    refuse('HARDWARE_TOO_LARGE', `die.tiles${axis}`, `at most ${most} with ${count(dies, 'die')} side by side`, tiles, `Coordinates on the wafer end at ${MAX_COORDINATE}.`);
  }
  const tilesPerDie = die.tilesX * die.tilesY;
  const dies = wafer.diesX * wafer.diesY;
  if (tilesPerDie * dies > MAX_TILES) {
    refuse('HARDWARE_TOO_LARGE', 'die', `at most ${Math.floor(MAX_TILES / dies)} tiles with ${count(dies, 'die')}`, `${die.tilesX} x ${die.tilesY} = ${tilesPerDie}`, `A wafer has at most 2^24 tiles.`);
  }
}

function checkPackets(path: string, { bytesPerCycle: flitBytes, maxPacketBytes }: TileLinkSpec | SyncLinkSpec, refuse: Refuse): void {
  if (maxPacketBytes >= flitBytes && maxPacketBytes % flitBytes === 0) return;
  const why = `A flit is what a tile link carries per cycle, ${path}.bytesPerCycle = ${flitBytes} bytes; a packet is made of whole ones.`;
  refuse('HARDWARE_BAD_PACKET', `${path}.maxPacketBytes`, `a multiple of ${flitBytes}`, maxPacketBytes, why);
}

function checkCredits(path: string, { credits }: LinkSpec | TileLinkSpec, packets: TileLinkSpec | SyncLinkSpec, refuse: Refuse): void {
  const packetFlits = packets.maxPacketBytes / packets.bytesPerCycle;
  if (credits === undefined || credits >= packetFlits) return;
  const why = `The buffer behind a link holds at least one largest packet, ${packets.maxPacketBytes} bytes in flits of ${packets.bytesPerCycle}; leave credits out to have them derived.`;
  refuse('HARDWARE_BAD_CREDITS', `${path}.credits`, `at least ${packetFlits} flits`, credits, why);
}

function checkReduction({ reduction, link }: Hardware, refuse: Refuse): void {
  if (reduction === undefined) return;
  const { pageBytes, pageGapCycles } = reduction;
  const bytes = pageBytes ?? 4096;
  if (pageBytes === undefined && pageGapCycles === undefined) return;
  if (bytes % link.bytesPerCycle !== 0) {
    const got = pageBytes ?? `${bytes}, which it is where left out`;
    refuse('HARDWARE_BAD_REDUCTION', 'reduction.pageBytes', `a multiple of ${link.bytesPerCycle}`, got, `A page is made of whole flits, link.bytesPerCycle = ${link.bytesPerCycle} bytes.`);
  }
}

function checkMemory({ memory, die }: Hardware, refuse: Refuse): void {
  if (memory === null) return;
  const { edgeNodes: on, aliasing, channels, scramble } = memory;
  const spread = (over: number) => {
    if (scramble === true && (over & (over - 1)) !== 0) refuse('HARDWARE_BAD_MEMORY', 'memory.scramble', 'false', 'true', `Addresses are spread over ${count(over, 'channel')} together; scrambling needs a power of two.`);
  };
  if (on === undefined) {
    if (aliasing === 'column' || aliasing === 'edge') refuse('HARDWARE_BAD_MEMORY', 'memory.aliasing', '"none" without memory.edgeNodes', `"${aliasing}"`, 'A request can only go to the node of its own column where nodes have a place.');
    spread(channels);
    return;
  }
  let nodes = 0;
  const edges: string[] = [];
  for (const edge of ['west', 'north', 'east', 'south'] as const) {
    const along = edge === 'west' || edge === 'east' ? die.tilesY : die.tilesX;
    if (on[edge] > along) refuse('HARDWARE_BAD_MEMORY', `memory.edgeNodes.${edge}`, `at most ${along}`, on[edge], `The ${edge} edge of a die has ${count(along, 'tile')}, and a tile has one memory node at most.`);
    if (on[edge] > 0) edges.push(edge);
    nodes += on[edge];
  }
  if (nodes === 0) refuse('HARDWARE_BAD_MEMORY', 'memory.edgeNodes', 'at least one node', 0, 'Leave edgeNodes out where channels have no place, or write "memory": null for a machine without memory channels.');
  if (channels % nodes !== 0) {
    refuse('HARDWARE_BAD_MEMORY', 'memory.channels', `a multiple of ${nodes}, the nodes of memory.edgeNodes together`, channels, 'Every node owns an equal share of the channels.');
  }
  if (aliasing === 'column' && edges.length > 1) {
    refuse('HARDWARE_BAD_MEMORY', 'memory.aliasing', '"none" or "edge" with nodes on several edges', '"column"', `A tile would have a node on each of ${edges.join(' and ')}.`);
  }
  for (const edge of ['west', 'north', 'east', 'south'] as const) spread((channels / nodes) * (aliasing === undefined || aliasing === 'none' ? 1 : on[edge]));
}

function checkDieToDie({ wafer, die, d2d }: Hardware, refuse: Refuse): void {
  const dies = wafer.diesX * wafer.diesY;
  if (d2d === null) {
    if (dies > 1) refuse('HARDWARE_BAD_D2D', 'd2d', `an object { "shape": "edge" | "hub", … } with ${dies} dies`, 'null', 'Only a wafer of one die can do without.');
    return;
  }
  if (d2d.shape === 'edge') {
    const others = d2d as Readonly<Record<string, unknown>>; // the schema lets the keys of a hub through
    for (const key of ['gatewayLink', 'gateways']) {
      if (others[key] !== undefined) refuse('HARDWARE_BAD_D2D', `d2d.${key}`, 'absent where d2d.shape is "edge"', JSON.stringify(others[key]), 'Gateways lead to the router of a die, which only the shape "hub" has.');
    }
    return;
  }
  const seen = new Map<number, number>();
  for (const [index, { x, y }] of d2d.gateways.entries()) {
    const path = `d2d.gateways.${index}`;
    const got = `(${x}, ${y})`;
    if (x >= die.tilesX || y >= die.tilesY) {
      refuse('HARDWARE_BAD_GATEWAY', path, `a tile of the die, x from 0 to ${die.tilesX - 1} and y from 0 to ${die.tilesY - 1}`, got, 'Gateways are placed alike on every die.');
    }
    const first = seen.get(y * die.tilesX + x);
    if (first !== undefined) refuse('HARDWARE_BAD_GATEWAY', path, 'a tile of its own', got, `d2d.gateways.${first} is the same tile.`);
    seen.set(y * die.tilesX + x, index);
  }
}

function linksOf({ link, localLink, ejectionLink, syncLink, d2d }: Hardware): [path: string, link: LinkSpec | TileLinkSpec, packets: TileLinkSpec | SyncLinkSpec][] {
  const links: [string, LinkSpec | TileLinkSpec, TileLinkSpec | SyncLinkSpec][] = [['link', link, link], ['localLink', localLink, link]];
  if (ejectionLink !== undefined) links.push(['ejectionLink', ejectionLink, link]);
  if (syncLink !== undefined) links.push(['syncLink', syncLink, syncLink]);
  if (d2d !== null) links.push(['d2d.link', d2d.link, link]);
  if (d2d?.shape === 'hub') links.push(['d2d.gatewayLink', d2d.gatewayLink, link]);
  return links;
}

function count(things: number, name: string): string {
  return `${things} ${name}${things === 1 ? '' : 's'}`;
}
