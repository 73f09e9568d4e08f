/** Next hops of a die whose routes are not simply along x, then along y. */
export interface RouteTable {
  /**
   * Output port at a router. Of a tile: toward `targetTile`, LOCAL there; on `hub` hardware the target lies on the same die (a
   * gateway, while the packet is on its way to another die). Of the die's router: toward the die of `targetTile`, or its gateway.
   *
   * @param router local
   * @param targetTile wafer-wide
   * @param back a response: where routes go along x first, it goes along y first, back the way that a request came
   */
  port(router: number, targetTile: number, back?: boolean): number;
  /** Does a way lead from a tile of the die to a tile of the wafer? */
  reaches(localTile: number, targetTile: number): boolean;
}
