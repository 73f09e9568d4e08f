import type { Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { machine } from '../laboratory.ts';
import { DIRECTIONS } from '../ports.ts';

/** Small machines with random defects, for the tests of this room. Not part of the public API. */

type Defects = NonNullable<Hardware['defects']>;

/** Defects of a machine of one die or with dies edge to edge; at least one tile is left. */
function defectsOf(diesX: number, diesY: number, tilesX: number, tilesY: number): fc.Arbitrary<Defects> {
  return fc.boolean().chain((oneWay) => listedDefects(diesX, diesY, tilesX, tilesY, oneWay));
}

/** @param oneWay whether a link may be absent in one direction alone */
function listedDefects(diesX: number, diesY: number, tilesX: number, tilesY: number, oneWay: boolean): fc.Arbitrary<Defects> {
  const die = fc.record({ x: fc.nat(diesX - 1), y: fc.nat(diesY - 1) });
  const place = fc.record({ die, x: fc.nat(tilesX - 1), y: fc.nat(tilesY - 1) });
  const all = diesX * diesY * tilesX * tilesY;
  return fc.record({
    tiles: fc.uniqueArray(place, { maxLength: Math.min(all - 1, Math.ceil(all / 4)), selector: (tile) => JSON.stringify(tile) }),
    links: fc.array(
      fc.tuple(place, fc.constantFrom('east' as const, 'west' as const, 'north' as const, 'south' as const), oneWay ? fc.boolean() : fc.constant(true)).map(([at, direction, bothWays]) => ({ ...at, direction, bothWays })),
      { maxLength: Math.ceil(all / 4) },
    ),
  }).map(({ tiles, links }) => ({
    tiles,
    // Only links of the full grid can be absent.
    links: links.filter(({ die: at, x, y, direction }) => {
      const [toX, toY] = [at.x * tilesX + x + Number(direction === 'east') - Number(direction === 'west'), at.y * tilesY + y + Number(direction === 'south') - Number(direction === 'north')];
      return toX >= 0 && toY >= 0 && toX < diesX * tilesX && toY < diesY * tilesY;
    }),
  }));
}

const dieLink = { bytesPerCycle: 128, cycles: 7, picojoulesPerByteHop: 2 };

/** One die, or dies edge to edge, with defects. */
export const damagedMachines: fc.Arbitrary<Hardware> = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([diesX, diesY, tilesX, tilesY]) => defectsOf(diesX, diesY, tilesX, tilesY).map((defects) => ({
    ...machine({ diesX, diesY, tilesX, tilesY, ...(diesX * diesY > 1 ? { d2d: { shape: 'edge' as const, link: dieLink } } : {}) }),
    defects,
  })));

/** Dies of one mesh each. */
export const damagedDies: fc.Arbitrary<Hardware> = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([tilesX, tilesY]) => defectsOf(1, 1, tilesX, tilesY).map((defects) => ({ ...machine({ tilesX, tilesY }), defects })));

/** 3 x 2 dies of 4 x 3 tiles joined by their routers; tiles, links, dies and links between dies may be absent. */
export const damagedHubs: fc.Arbitrary<Hardware> = fc.tuple(
  defectsOf(3, 2, 4, 3),
  fc.uniqueArray(fc.record({ x: fc.nat(2), y: fc.nat(1) }), { maxLength: 2, selector: ({ x, y }) => x + 3 * y }),
  fc.array(fc.constantFrom(
    { die: { x: 0, y: 0 }, direction: 'east' as const }, { die: { x: 1, y: 0 }, direction: 'south' as const }, { die: { x: 2, y: 1 }, direction: 'west' as const, bothWays: false },
  ), { maxLength: 2 }),
).map(([{ tiles, links }, dies, dieLinks]) => hubMachine({
  dies,
  tiles: tiles!.filter(({ x, y }) => !gateways.some((at) => at.x === x && at.y === y)),
  links: [
    ...links!.filter(({ x, y, direction }) => !((direction === 'east' && x === 3) || (direction === 'west' && x === 0) || (direction === 'south' && y === 2) || (direction === 'north' && y === 0))),
    ...dieLinks,
  ],
}));

const gateways = [{ x: 0, y: 0 }, { x: 2, y: 0 }, { x: 3, y: 2 }];

export function hubMachine(defects?: Defects): Hardware {
  return {
    ...machine({ diesX: 3, diesY: 2, tilesX: 4, tilesY: 3, d2d: { shape: 'hub', link: { bytesPerCycle: [1000, 3], cycles: 17, picojoulesPerByteHop: 2 }, gatewayLink: { bytesPerCycle: 128, cycles: 2, picojoulesPerByteHop: 0.15 }, gateways } }),
    ...(defects === undefined ? {} : { defects }),
  };
}

export const NOT_REACHED = -1;

/** Fewest links from a router to all others by ways that go up and then down, found by walking (router, came down) pairs. */
export function legalDistances(next: Int32Array, label: Int32Array, corner: Int32Array, from: number): Int32Array {
  const nodes = label.length;
  const fewest = new Int32Array(nodes * 2).fill(NOT_REACHED);
  const queue = [from * 2];
  fewest[from * 2] = 0;
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    const node = state >> 1;
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      const to = next[node * DIRECTIONS + direction]!;
      if (to < 0 || corner[to] !== corner[node]) continue;
      const up = label[to]! < label[node]!;
      if (up && (state & 1) === 1) continue;
      const reached = to * 2 + (up ? 0 : 1);
      if (fewest[reached]! >= 0) continue;
      fewest[reached] = fewest[state]! + 1;
      queue.push(reached);
    }
  }
  return Int32Array.from({ length: nodes }, (_, node) => {
    const [goingUp, goingDown] = [fewest[node * 2]!, fewest[node * 2 + 1]!];
    return goingUp < 0 ? goingDown : goingDown < 0 ? goingUp : Math.min(goingUp, goingDown);
  });
}
