import { presetHardware, type Hardware } from '@kerf/hardware';
import { checkTileProgram, execute } from '@kerf/program';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseGemm, gemmCandidates, publishedMappings } from './choose.ts';
import { estimateGemm } from './estimate.ts';
import { gemmTypes } from './mapping.ts';
import { gemmPrograms, placeGemm } from './programs.ts';

/** A die small enough to execute on. */
function die(tilesX: number, tilesY: number, l1Bytes = 393_216): Hardware {
  const mesh = presetHardware('mesh-8x8');
  return { ...mesh, die: { tilesX, tilesY }, tile: { ...mesh.tile, l1Bytes } };
}

const shapes = fc.record({ m: fc.integer({ min: 1, max: 40 }), n: fc.integer({ min: 1, max: 40 }), k: fc.integer({ min: 1, max: 70 }) });

describe('what is chosen', () => {
  test('computes the product on any die: all its programs together write every element once', () => {
    fc.assert(fc.property(shapes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.nat(), (shape, tilesX, tilesY, pick) => {
      const hardware = die(tilesX, tilesY);
      const candidates = gemmCandidates(shape, gemmTypes('fp16'), hardware);
      const { mapping } = candidates[pick % candidates.length]!;
      const x = Float64Array.from({ length: shape.m * shape.k }, (_, i) => ((i * 7) % 11) - 5);
      const w = Float64Array.from({ length: shape.k * shape.n }, (_, i) => ((i * 5) % 13) - 6);
      const z = new Float64Array(shape.m * shape.n).fill(NaN);
      for (const placed of placeGemm(shape, mapping, gemmTypes('fp16'), hardware)) {
        execute(placed, { X: x, W: w }).tensors['Z']!.forEach((value, i) => {
          if (Number.isNaN(value)) return;
          expect(z[i]).toBeNaN();
          z[i] = value;
        });
      }
      z.forEach((value, at) => {
        const [i, j] = [Math.floor(at / shape.n), at % shape.n];
        let sum = 0;
        for (let l = 0; l < shape.k; l++) sum += x[i * shape.k + l]! * w[l * shape.n + j]!;
        if (value !== sum) expect.fail(`element ${i}, ${j} is ${value}, not ${sum}`);
      });
    }), { numRuns: 60 });
  }, 120_000);

  test('fits L1 and passes every check, on presets, for large and lopsided products and all formats', () => {
    for (const preset of ['flat-32x32', 'flat-wafer-64', 'mesh-8x8']) {
      for (const [m, n, k] of [[2048, 2048, 2048], [128, 7168, 2048], [1, 7168, 7168], [7, 5, 3], [4000, 100, 3594]] as const) {
        const hardware = presetHardware(preset);
        const types = gemmTypes(preset === 'flat-wafer-64' ? 'fp8e4m3' : 'fp16');
        const { mapping, estimate } = chooseGemm({ m, n, k }, types, hardware);
        for (const { program, groups } of gemmPrograms({ m, n, k }, mapping, types, hardware)) {
          checkTileProgram(program, hardware);
          expect(groups.length).toBeGreaterThan(0);
        }
        expect(estimate.cycles).toBeGreaterThan((m * n * k * 2) / (hardware.tile.matrix.flopsPerCycle.fp16 * hardware.die.tilesX * hardware.die.tilesY));
      }
    }
  }, 120_000);

  test('is never estimated slower than what the authors of FlatAttention would take in the same schedule', () => {
    const hardware = presetHardware('flat-32x32');
    for (const shape of [{ m: 8192, n: 8192, k: 8192 }, { m: 128, n: 2048, k: 7168 }, { m: 128, n: 16384, k: 4096 }]) {
      const best = chooseGemm(shape, gemmTypes('fp16'), hardware, { schedule: 'blockwise' }).estimate.cycles;
      for (const mapping of publishedMappings(shape, hardware)) expect(best).toBeLessThanOrEqual(estimateGemm(shape, mapping, gemmTypes('fp16'), hardware).cycles);
    }
  });

  test('keeps what is asked for, and says when nothing fits', () => {
    const hardware = presetHardware('mesh-8x8');
    expect(chooseGemm({ m: 512, n: 512, k: 512 }, gemmTypes('fp16'), hardware, { groupWidth: 2, groupHeight: 2, splitK: 4, stages: 3 }).mapping).toMatchObject({ groupWidth: 2, groupHeight: 2, splitK: 4, stages: 3 });
    expect(() => chooseGemm({ m: 512, n: 512, k: 512 }, gemmTypes('fp16'), hardware, { groupWidth: 9 })).toThrow(expect.objectContaining({ code: 'GEMM_DOES_NOT_FIT' }));
    expect(() => chooseGemm({ m: 512, n: 512, k: 512 }, gemmTypes('fp16'), { ...hardware, tile: { ...hardware.tile, l1Bytes: 64 } }, { tileM: 128 })).toThrow(expect.objectContaining({ code: 'GEMM_DOES_NOT_FIT' }));
    expect(() => chooseGemm({ m: 0, n: 512, k: 512 }, gemmTypes('fp16'), hardware)).toThrow(expect.objectContaining({ code: 'GEMM_BAD_SHAPE', message: expect.stringContaining('m is 0') }));
  });
});

test('left-over groups take columns: 128 rows on the 32 × 32 machine', () => {
  expect(publishedMappings({ m: 128, n: 16384, k: 4096 }, presetHardware('flat-32x32'))).toMatchObject([{ splitK: 32, splitN: 1 }, { splitK: 1, splitN: 4 }]);
});

test('places with absent tiles are left out, and said when there are too few', () => {
  const mesh = presetHardware('mesh-8x8');
  const hardware: Hardware = { ...mesh, defects: { tiles: [{ die: { x: 0, y: 0 }, x: 1, y: 1 }] } };
  const mapping = { ...chooseGemm({ m: 256, n: 256, k: 256 }, gemmTypes('fp16'), hardware, { groupWidth: 4, groupHeight: 2, splitK: 2, splitM: 1, splitN: 3 }).mapping };
  const groups = gemmPrograms({ m: 256, n: 256, k: 256 }, mapping, gemmTypes('fp16'), hardware).flatMap((one) => one.groups.map(({ x, y }) => [x, y]));
  expect(groups).toEqual([[4, 0], [0, 4], [4, 4]]);
  expect(() => gemmPrograms({ m: 256, n: 256, k: 256 }, { ...mapping, splitN: 4 }, gemmTypes('fp16'), hardware)).toThrow(expect.objectContaining({ code: 'GEMM_DOES_NOT_FIT', message: expect.stringContaining('room for 3') }));
});
