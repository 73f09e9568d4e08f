import { planMulticast, planReduction, type Fabric, type MulticastPlan, type PacketKernel, type ReductionPlan } from '@kerf/fabric';
import type { Hardware } from '@kerf/hardware';
import { memberPlace, membersOf, rootPlace, scopesOf, type Collective, type CollectiveScope } from '@kerf/program';
import type { LaidOutPrograms, PlacedTiles } from './laid-out-programs.ts';

/** The trees that the collectives of a die need. Collectives of one kind, scope and root share theirs. */
export interface CollectivePlan {
  /** [collectives of all programs] where the trees of its scopes begin among those of a group. */
  readonly shapeOf: Int32Array;
  /** [programs] number of its first collective. */
  readonly firstCollective: Int32Array;
  /** [groups] where its trees begin. */
  readonly firstTree: Int32Array;
  /** [trees] id in the fabric of the multicast, reduction or barrier; −1: no fabric is asked. */
  readonly tree: Int32Array;
  /** [trees] the same multicast, acknowledged; the multicast that tells the members of a reduction. −1 without. */
  readonly answer: Int32Array;
  /** [trees] local tile of the root; of a barrier where it comes together. */
  readonly root: Int32Array;
  /** [trees] tiles that take part. */
  readonly members: Int32Array;
  /** [trees] most links between the root and a member. */
  readonly farthest: Int32Array;
  /** [trees] most inputs that one router joins. */
  readonly inputs: Int32Array;
  /** [trees] the rectangle of the members on the die. */
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly width: Int32Array;
  readonly height: Int32Array;
}

interface Shape { readonly kind: 'multicast' | 'reduce' | 'barrier'; readonly collective: Collective }

export interface PlanOptions {
  /** Multicasts are acknowledged, and members of a reduction are told of its end, by packets. */
  readonly answers: boolean;
  /** The wide fabric joins. */
  readonly joins: boolean;
}

/**
 * Defines the trees of all groups of a die.
 *
 * @param sync the fabric of barriers; null: they are a formula
 */
export function planCollectives(hardware: Hardware, dieId: number, laid: LaidOutPrograms, placed: PlacedTiles, wide: Fabric, sync: PacketKernel | null, { answers, joins }: PlanOptions): CollectivePlan {
  const firstCollective = new Int32Array(laid.programs.length);
  const shapeOf: number[] = [];
  const shapes: Shape[][] = [];
  laid.programs.forEach(({ compiled: { program } }, p) => {
    firstCollective[p] = shapeOf.length;
    const own: Shape[] = [];
    const starts: number[] = [];
    const known = new Map<string, number>();
    let trees = 0;
    for (const collective of program.collectives) {
      const kind = collective.kind === 'multicast' || collective.kind === 'barrier' ? collective.kind : 'reduce';
      const key = `${kind} ${collective.scope} ${JSON.stringify(collective.root)}`;
      let shape = known.get(key);
      if (shape === undefined) {
        shape = own.push({ kind, collective }) - 1;
        known.set(key, shape);
        starts.push(trees);
        trees += scopesOf(program.group, collective.scope);
      }
      shapeOf.push(starts[shape]!);
    }
    shapes.push(own);
  });
  const firstTree = new Int32Array(placed.groups);
  const rows: Tree[] = [];
  const { tilesX } = hardware.die;
  for (let g = 0; g < placed.groups; g++) {
    firstTree[g] = rows.length;
    const { group } = laid.programs[placed.programOfGroup[g]!]!.compiled.program;
    const tileOf = (place: number) => placed.cornerOfGroup[g]! + Math.floor(place / group.width) * tilesX + (place % group.width);
    for (const { kind, collective } of shapes[placed.programOfGroup[g]!]!) {
      for (let scope = 0; scope < scopesOf(group, collective.scope); scope++) {
        const tiles = scopeTiles(group, collective.scope, scope).map(tileOf);
        const root = kind === 'barrier' ? middleOf(tiles, tilesX) : tileOf(rootPlace(group, collective, scope));
        const others = tiles.filter((tile) => tile !== root);
        const [first, last] = [tiles[0]!, tiles.at(-1)!];
        const row: Tree = {
          tree: -1, answer: -1, inputs: 1, root, members: tiles.length, farthest: tiles.reduce((most, tile) => Math.max(most, hops(tile, root, tilesX)), 0),
          x: first % tilesX, y: Math.floor(first / tilesX), width: (last % tilesX) - (first % tilesX) + 1, height: Math.floor(last / tilesX) - Math.floor(first / tilesX) + 1,
        };
        rows.push(row);
        if (others.length === 0) continue;
        if (kind === 'multicast') {
          const plan: MulticastPlan = planMulticast(hardware, dieId, root, others);
          row.tree = wide.defineMulticast(plan);
          if (answers) row.answer = (wide as PacketKernel).defineMulticast(plan, { acknowledged: true });
        } else {
          const plan: ReductionPlan = planReduction(hardware, dieId, root, tiles);
          row.inputs = plan.inputs.reduce((most, bits) => Math.max(most, bitsOf(bits)), 1);
          if (kind === 'barrier') {
            if (sync !== null) row.tree = sync.defineBarrier(plan, planMulticast(hardware, dieId, root, tiles));
          } else if (joins) {
            row.tree = wide.defineReduction(plan);
            if (answers) row.answer = wide.defineMulticast(planMulticast(hardware, dieId, root, others));
          }
        }
      }
    }
  }
  const column = (pick: (row: Tree) => number) => Int32Array.from(rows, pick);
  return {
    shapeOf: Int32Array.from(shapeOf), firstCollective, firstTree, tree: column((row) => row.tree), answer: column((row) => row.answer), root: column((row) => row.root), members: column((row) => row.members),
    farthest: column((row) => row.farthest), inputs: column((row) => row.inputs), x: column((row) => row.x), y: column((row) => row.y), width: column((row) => row.width), height: column((row) => row.height),
  };
}

interface Tree {
  tree: number;
  answer: number;
  inputs: number;
  readonly root: number;
  readonly members: number;
  readonly farthest: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function bitsOf(mask: number): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count++;
  return count;
}

function scopeTiles(group: { readonly width: number; readonly height: number }, scope: CollectiveScope, index: number): number[] {
  return Array.from({ length: membersOf(group, scope) }, (_, member) => memberPlace(group, scope, index, member));
}

function hops(a: number, b: number, tilesX: number): number {
  return Math.abs((a % tilesX) - (b % tilesX)) + Math.abs(Math.floor(a / tilesX) - Math.floor(b / tilesX));
}

/** The middle tile of the rectangle that some tiles span, rounded down. */
function middleOf(tiles: readonly number[], tilesX: number): number {
  const x = (tiles[0]! % tilesX) + (tiles.at(-1)! % tilesX);
  const y = Math.floor(tiles[0]! / tilesX) + Math.floor(tiles.at(-1)! / tilesX);
  return Math.floor(y / 2) * tilesX + Math.floor(x / 2);
}
