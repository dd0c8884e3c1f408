import { createRandom } from './noise.ts';
import type { LightSample } from './visibility.ts';

/** Light of a portrait. Directions are in the camera frame (x right, y down, z away from the viewer), to the light. */
export interface Studio {
  /** Softbox: direction, its half angle in degrees, linear RGB. */
  readonly key: SoftLight;
  readonly fill: SoftLight;
  /** Narrow light from behind. */
  readonly rim: SoftLight;
  /** Linear RGB of the surroundings above and below. */
  readonly sky: readonly [number, number, number];
  readonly ground: readonly [number, number, number];
  /** sRGB bytes: middle and corners of the backdrop. */
  readonly backdrop: { readonly middle: readonly [number, number, number]; readonly corner: readonly [number, number, number] };
  readonly exposure: number;
}

export interface SoftLight {
  readonly direction: readonly [number, number, number];
  readonly halfAngleDeg: number;
  readonly rgb: readonly [number, number, number];
}

/** Key from the upper left, soft fill from the right, a rim that parts the hair from the backdrop. */
export const SOFT_STUDIO: Studio = {
  key: { direction: [-0.62, -0.55, -0.72], halfAngleDeg: 15, rgb: [1.12, 1.04, 0.95] },
  fill: { direction: [0.85, -0.05, -0.62], halfAngleDeg: 30, rgb: [0.24, 0.26, 0.29] },
  rim: { direction: [0.72, -0.5, 0.62], halfAngleDeg: 12, rgb: [0.75, 0.78, 0.85] },
  sky: [0.3, 0.31, 0.33],
  ground: [0.13, 0.12, 0.11],
  backdrop: { middle: [158, 163, 168], corner: [86, 91, 99] },
  exposure: 1.05,
};

/** One hard lamp from the side, hardly any fill. */
export const HARD_SIDE_LIGHT: Studio = {
  ...SOFT_STUDIO,
  key: { direction: [-0.92, -0.3, -0.4], halfAngleDeg: 3, rgb: [1.5, 1.38, 1.22] },
  fill: { direction: [0.85, -0.05, -0.62], halfAngleDeg: 30, rgb: [0.05, 0.055, 0.065] },
  rim: { direction: [0.72, -0.5, 0.62], halfAngleDeg: 12, rgb: [0.1, 0.1, 0.12] },
  sky: [0.1, 0.1, 0.11],
  ground: [0.05, 0.045, 0.04],
  backdrop: { middle: [74, 72, 72], corner: [30, 30, 33] },
};

/** Even light of an overcast day. */
export const OVERCAST: Studio = {
  key: { direction: [-0.2, -0.85, -0.5], halfAngleDeg: 35, rgb: [0.5, 0.52, 0.55] },
  fill: { direction: [0.5, -0.2, -0.85], halfAngleDeg: 35, rgb: [0.2, 0.21, 0.22] },
  rim: { direction: [0.5, -0.6, 0.6], halfAngleDeg: 25, rgb: [0.2, 0.21, 0.23] },
  sky: [0.62, 0.65, 0.7],
  ground: [0.22, 0.21, 0.19],
  backdrop: { middle: [176, 182, 180], corner: [120, 130, 128] },
  exposure: 1.0,
};

/** Directions spread over a soft light, model frame. `modelFromCamera` = transpose of the pose's rotation. */
export function sampleLight(light: SoftLight, count: number, cameraFromModel: ArrayLike<number>): LightSample[] {
  const [dx, dy, dz] = unit(light.direction);
  const side = unit(Math.abs(dy) < 0.9 ? [-dz, 0, dx] : [1, 0, 0]);
  const up: [number, number, number] = [dy * side[2] - dz * side[1], dz * side[0] - dx * side[2], dx * side[1] - dy * side[0]];
  const samples: LightSample[] = [];
  const reach = Math.tan((light.halfAngleDeg * Math.PI) / 180);
  for (let i = 0; i < count; i++) {
    // Sunflower spiral: even over the disc.
    const radius = Math.sqrt((i + 0.5) / count) * reach;
    const turn = i * 2.399963229728653;
    const a = radius * Math.cos(turn);
    const b = radius * Math.sin(turn);
    const d = unit([dx + a * side[0] + b * up[0], dy + a * side[1] + b * up[1], dz + a * side[2] + b * up[2]]);
    samples.push({ direction: toModel(d, cameraFromModel), rgb: [1 / count, 1 / count, 1 / count] });
  }
  return samples;
}

/** The surroundings as distant lights: sky, ground and the fill, such that a white surface in the open sends back their colours. */
export function sampleSurroundings(studio: Studio, count: number, cameraFromModel: ArrayLike<number>, seed: number): LightSample[] {
  const random = createRandom(seed);
  const turn0 = random() * 6.28;
  const samples: LightSample[] = [];
  for (let i = 0; i < count; i++) {
    const y = 1 - (2 * (i + 0.5)) / count;
    const r = Math.sqrt(1 - y * y);
    const turn = turn0 + i * 2.399963229728653;
    const d: [number, number, number] = [r * Math.cos(turn), y, r * Math.sin(turn)];
    const up = 0.5 - 0.5 * y;
    // Irradiance of an even sphere is pi * L: 4 / count makes the sum over cosines 1.
    const rgb = [0, 1, 2].map((c) => ((studio.ground[c]! + (studio.sky[c]! - studio.ground[c]!) * up) * 4) / count);
    samples.push({ direction: toModel(d, cameraFromModel), rgb: rgb as [number, number, number] });
  }
  return samples;
}

function unit(v: readonly number[]): [number, number, number] {
  const length = Math.hypot(v[0]!, v[1]!, v[2]!);
  return [v[0]! / length, v[1]! / length, v[2]! / length];
}

function toModel(d: readonly [number, number, number], r: ArrayLike<number>): [number, number, number] {
  return [
    r[0]! * d[0] + r[3]! * d[1] + r[6]! * d[2],
    r[1]! * d[0] + r[4]! * d[1] + r[7]! * d[2],
    r[2]! * d[0] + r[5]! * d[1] + r[8]! * d[2],
  ];
}
