import { HardwareError, type HardwareErrorCode } from './errors.ts';
import { MAX_COORDINATE, MAX_TILES, type Hardware, type LinkSpec, type TileLinkSpec } from './spec.ts';

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
  checkPackets(hardware.link, refuse);
  checkDieToDie(hardware, refuse);
  for (const [path, link] of linksOf(hardware)) checkCredits(path, link, hardware.link, refuse);
}

type Refuse = (code: HardwareErrorCode, path: string, expected: string, got: string | number, why: string) => never;

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

function checkPackets({ bytesPerCycle: flitBytes, maxPacketBytes }: TileLinkSpec, refuse: Refuse): void {
  if (maxPacketBytes >= flitBytes && maxPacketBytes % flitBytes === 0) return;
  const why = `A flit is what a tile link carries per cycle, link.bytesPerCycle = ${flitBytes} bytes; a packet is made of whole ones.`;
  refuse('HARDWARE_BAD_PACKET', 'link.maxPacketBytes', `a multiple of ${flitBytes}`, maxPacketBytes, why);
}

function checkCredits(path: string, { credits }: LinkSpec | TileLinkSpec, tileLink: TileLinkSpec, refuse: Refuse): void {
  const packetFlits = tileLink.maxPacketBytes / tileLink.bytesPerCycle;
  if (credits === undefined || credits >= packetFlits) return;
  const why = `The buffer behind a link holds at least one largest packet, ${tileLink.maxPacketBytes} bytes in flits of ${tileLink.bytesPerCycle}; leave credits out to have them derived.`;
  refuse('HARDWARE_BAD_CREDITS', `${path}.credits`, `at least ${packetFlits} flits`, credits, why);
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

function linksOf({ link, localLink, d2d }: Hardware): [path: string, link: LinkSpec | TileLinkSpec][] {
  const links: [string, LinkSpec | TileLinkSpec][] = [['link', link], ['localLink', localLink]];
  if (d2d !== null) links.push(['d2d.link', d2d.link]);
  if (d2d?.shape === 'hub') links.push(['d2d.gatewayLink', d2d.gatewayLink]);
  return links;
}

function count(things: number, name: string): string {
  return `${things} ${name}${things === 1 ? '' : 's'}`;
}
