import { planMulticast, planReduction, type Fabric, type MulticastPlan, type PacketKernel, type ReductionPlan } from '@kerf/fabric';
import type { Hardware } from '@kerf/hardware';
import { memberPlace, membersOf, rootPlace, scopesOf, type Collective, type CollectiveScope } from '@kerf/program';
import type { LaidOutPrograms, PlacedTiles } from './laid-out-programs.ts';

/** Fabrics that release a barrier, and acknowledge a multicast, themselves. */
type Capable = Pick<PacketKernel, 'defineBarrier'>;

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
}

interface Shape { readonly kind: 'multicast' | 'reduce' | 'barrier'; readonly collective: Collective }

export interface PlanOptions {
  /** Answers are packets. */
  readonly answers: boolean;
  /** Barriers go through the network. */
  readonly networkBarriers: boolean;
}

/**
 * Defines the trees of all groups of a die.
 *
 * @param sync the fabric of barriers; the wide one where there is no other
 */
export function planCollectives(hardware: Hardware, dieId: number, laid: LaidOutPrograms, placed: PlacedTiles, wide: Fabric, sync: Fabric, { answers, networkBarriers }: PlanOptions): CollectivePlan {
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
  const tree: number[] = [];
  const answer: number[] = [];
  const root: number[] = [];
  const members: number[] = [];
  const farthest: number[] = [];
  const { tilesX } = hardware.die;
  for (let g = 0; g < placed.groups; g++) {
    firstTree[g] = tree.length;
    const { group } = laid.programs[placed.programOfGroup[g]!]!.compiled.program;
    const tileOf = (place: number) => placed.cornerOfGroup[g]! + Math.floor(place / group.width) * tilesX + (place % group.width);
    for (const { kind, collective } of shapes[placed.programOfGroup[g]!]!) {
      for (let scope = 0; scope < scopesOf(group, collective.scope); scope++) {
        const tiles = scopeTiles(group, collective.scope, scope).map(tileOf);
        const at = kind === 'barrier' ? middleOf(tiles, tilesX) : tileOf(rootPlace(group, collective, scope));
        root.push(at);
        members.push(tiles.length);
        farthest.push(Math.max(...[tiles[0]!, tiles.at(-1)!].map((tile) => hops(tile, at, tilesX)), ...tiles.map((tile) => hops(tile, at, tilesX))));
        const others = tiles.filter((tile) => tile !== at);
        if (others.length === 0) {
          tree.push(-1);
          answer.push(-1);
        } else if (kind === 'multicast') {
          const plan: MulticastPlan = planMulticast(hardware, dieId, at, others);
          tree.push(wide.defineMulticast(plan));
          answer.push(answers ? (wide as PacketKernel).defineMulticast(plan, { acknowledged: true }) : -1);
        } else if (kind === 'reduce') {
          const plan: ReductionPlan = planReduction(hardware, dieId, at, tiles);
          tree.push(wide.defineReduction(plan));
          answer.push(answers ? wide.defineMulticast(planMulticast(hardware, dieId, at, others)) : -1);
        } else {
          tree.push(networkBarriers ? (sync as Fabric & Capable).defineBarrier(planReduction(hardware, dieId, at, tiles), planMulticast(hardware, dieId, at, tiles)) : -1);
          answer.push(-1);
        }
      }
    }
  }
  return { shapeOf: Int32Array.from(shapeOf), firstCollective, firstTree, tree: Int32Array.from(tree), answer: Int32Array.from(answer), root: Int32Array.from(root), members: Int32Array.from(members), farthest: Int32Array.from(farthest) };
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
