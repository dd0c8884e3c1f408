import type { HeadRegion } from '../src/head-model-data.ts';

/** Smooth weights 0..1 per vertex of the areas that the texture treats differently. */
export function buildRegions(positions: Float64Array, polygons: Uint32Array): Record<HeadRegion, Float32Array> {
  void polygons;
  const count = positions.length / 3;
  const make = (f: (v: number) => number) => Float32Array.from({ length: count }, (_, v) => f(v));
  const zero = () => make(() => 0);
  return {
    face: make((v) => (v < 6706 ? 1 : 0)),
    lips: zero(),
    ears: zero(),
    scalp: make((v) => (v < 11248 && positions[3 * v + 1]! > 60 ? 1 : 0)),
    neck: make((v) => (v < 11248 && positions[3 * v + 1]! < -125 ? 1 : 0)),
    eyelids: zero(),
    brows: zero(),
  };
}
