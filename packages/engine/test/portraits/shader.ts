import { createEyeShader } from './eye.ts';
import { noise3 } from './noise.ts';
import type { PersonLook } from './person.ts';
import type { PortraitScene } from './render-portrait.ts';
import { createSkin, type SkinSample } from './skin.ts';
import type { SoftLight } from './studio.ts';
import { KINDS, type World } from './world.ts';

/** A light as shading needs it; camera frame. */
export interface Lamp {
  /** Unit, to the light. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Linear RGB. */
  readonly r: number;
  readonly g: number;
  readonly b: number;
  /** Sine of the half angle: widens highlights. */
  readonly spread: number;
}

/** One sample on its way through the shader; written anew for each. */
export interface Hit {
  /** Corners, as offsets into arrays of shape (V,3), and their weights. */
  a: number;
  b: number;
  c: number;
  w0: number;
  w1: number;
  w2: number;
  /** Unit normal (hairs: tangent) and unit direction to the eye, camera frame. */
  nx: number;
  ny: number;
  nz: number;
  vx: number;
  vy: number;
  vz: number;
  /** Irradiance of the surroundings. */
  ambientR: number;
  ambientG: number;
  ambientB: number;
  /** Visible share of each lamp. */
  readonly seen: Float64Array;
}

/** How far each channel of the light reaches past the terminator in skin: red wanders furthest. */
const SKIN_WRAP = [0.32, 0.14, 0.09] as const;

/** Shades one sample: triangle, weights of its second and third corner, ray; writes linear RGB. */
export type Shader = (t: number, w1: number, w2: number, rayX: number, rayY: number, rgb: Float64Array) => void;

/** A shader for everything in the scene. */
export function createShader(scene: PortraitScene, world: World): Shader {
  const { look, studio } = scene;
  const { triangles, kind, normals, rest, ambient, lit } = world;
  const skin = createSkin(look, world.anatomy);
  const surface: Surface = { r: 0, g: 0, b: 0, gloss: 0, bumpX: 0, bumpY: 0, bumpZ: 0, lip: 0, roughness: 0, isSkin: false };
  const lamps = [createLamp(studio.key), createLamp(studio.fill), createLamp(studio.rim)];
  const shadeEye = createEyeShader(look, world, lamps);
  const isStone = scene.material === 'statue';
  // Relief that is finer than a pixel would only be noise.
  const relief = Math.min(1, 0.2 + scene.detail);
  const hit: Hit = {
    a: 0,
    b: 0,
    c: 0,
    w0: 0,
    w1: 0,
    w2: 0,
    nx: 0,
    ny: 0,
    nz: 0,
    vx: 0,
    vy: 0,
    vz: 0,
    ambientR: 0,
    ambientG: 0,
    ambientB: 0,
    seen: new Float64Array(3),
  };

  return (t, w1, w2, rayX, rayY, rgb) => {
    const a = 3 * triangles[3 * t]!;
    const b = 3 * triangles[3 * t + 1]!;
    const c = 3 * triangles[3 * t + 2]!;
    const w0 = 1 - w1 - w2;
    const k = kind[t]!;
    const x = w0 * rest[a]! + w1 * rest[b]! + w2 * rest[c]!;
    const y = w0 * rest[a + 1]! + w1 * rest[b + 1]! + w2 * rest[c + 1]!;
    const z = w0 * rest[a + 2]! + w1 * rest[b + 2]! + w2 * rest[c + 2]!;
    let nx = w0 * normals[a]! + w1 * normals[b]! + w2 * normals[c]!;
    let ny = w0 * normals[a + 1]! + w1 * normals[b + 1]! + w2 * normals[c + 1]!;
    let nz = w0 * normals[a + 2]! + w1 * normals[b + 2]! + w2 * normals[c + 2]!;
    const toEye = -1 / Math.sqrt(rayX * rayX + rayY * rayY + 1);
    hit.a = a;
    hit.b = b;
    hit.c = c;
    hit.w0 = w0;
    hit.w1 = w1;
    hit.w2 = w2;
    hit.vx = rayX * toEye;
    hit.vy = rayY * toEye;
    hit.vz = toEye;
    hit.ambientR = w0 * ambient[a]! + w1 * ambient[b]! + w2 * ambient[c]!;
    hit.ambientG = w0 * ambient[a + 1]! + w1 * ambient[b + 1]! + w2 * ambient[c + 1]!;
    hit.ambientB = w0 * ambient[a + 2]! + w1 * ambient[b + 2]! + w2 * ambient[c + 2]!;
    for (let i = 0; i < 3; i++) hit.seen[i] = w0 * lit[a + i]! + w1 * lit[b + i]! + w2 * lit[c + i]!;

    if (isStone) {
      const grain = noise3(x * 1.1, y * 1.1, z * 1.1, 161) + noise3(x * 0.12, y * 0.12, z * 0.12, 163);
      const tone = 0.42 + 0.025 * grain;
      setSurface(surface, tone, tone * 0.99, tone * 0.96, 0.12, 0.6, false);
    } else if (k === KINDS.skin) {
      skin(x, y, z, surface);
      surface.roughness = 0.47 - 0.13 * surface.lip;
      surface.isSkin = true;
      nx += surface.bumpX * relief;
      ny += surface.bumpY * relief;
      nz += surface.bumpZ * relief;
    } else if (k === KINDS.mouth) {
      setSurface(surface, 0.3, 0.09, 0.085, 0.7, 0.3, true);
    } else if (k === KINDS.teeth) {
      const stain = 0.5 + 0.5 * noise3(x * 0.4, y * 0.4, z * 0.4, 131);
      setSurface(surface, 0.66 - 0.04 * stain, 0.6 - 0.06 * stain, 0.5 - 0.08 * stain, 0.8, 0.2, false);
    } else if (k === KINDS.shirt) {
      // Rib of the collar, thread and weave of the body.
      const rib = y < 10 ? 0.84 + 0.16 * Math.sin(x * 2 * Math.PI * 75) : 1;
      const thread = noise3(x * 450, y * 23, 0, 151);
      const knit = rib * (1 + 0.1 * thread + 0.06 * noise3(x * 150, y * 7, 1, 153));
      setSurface(surface, look.shirtColor[0] * knit, look.shirtColor[1] * knit, look.shirtColor[2] * knit, 0.04, 0.8, false);
      nx += 0.08 * thread;
      ny += 0.08 * noise3(x * 450, y * 23, 3, 155);
    }
    let scale = 1 / Math.sqrt(nx * nx + ny * ny + nz * nz + 1e-20);
    // Faces seen from behind (inside of the mouth, rim of the shirt) are lit as their front.
    if (k !== KINDS.skin && k !== KINDS.strand && nx * hit.vx + ny * hit.vy + nz * hit.vz < 0) scale = -scale;
    hit.nx = nx * scale;
    hit.ny = ny * scale;
    hit.nz = nz * scale;

    if (k === KINDS.strand) shadeStrand(hit, lamps, look, x, y, z, rgb);
    else if (k === KINDS.eye && !isStone) shadeEye(hit, rgb);
    else shadeSurface(hit, lamps, surface, rgb);
  };
}

interface Surface extends SkinSample {
  roughness: number;
  isSkin: boolean;
}

function setSurface(surface: Surface, r: number, g: number, b: number, gloss: number, roughness: number, isSkin: boolean): void {
  surface.r = r;
  surface.g = g;
  surface.b = b;
  surface.gloss = gloss;
  surface.roughness = roughness;
  surface.isSkin = isSkin;
}

function createLamp(light: SoftLight): Lamp {
  const length = Math.hypot(...light.direction);
  const [x, y, z] = light.direction.map((v) => v / length) as [number, number, number];
  const [r, g, b] = light.rgb;
  return { x, y, z, r, g, b, spread: Math.sin((light.halfAngleDeg * Math.PI) / 180) };
}

function shadeSurface(hit: Hit, lamps: readonly Lamp[], surface: Surface, rgb: Float64Array): void {
  const { nx, ny, nz, vx, vy, vz, seen, ambientR, ambientG, ambientB } = hit;
  let lightR = ambientR;
  let lightG = ambientG;
  let lightB = ambientB;
  let shineR = 0;
  let shineG = 0;
  let shineB = 0;
  const facingEye = Math.max(0.02, nx * vx + ny * vy + nz * vz);
  const { roughness, gloss } = surface;
  for (let i = 0; i < 3; i++) {
    const lamp = lamps[i]!;
    const visible = seen[i]!;
    if (visible <= 0) continue;
    const facing = nx * lamp.x + ny * lamp.y + nz * lamp.z;
    if (surface.isSkin) {
      // Light wanders in the skin: the terminator is soft, most in red, and shadows have warm edges.
      lightR += lamp.r * Math.max(0, (facing + SKIN_WRAP[0]) / (1 + SKIN_WRAP[0])) * Math.sqrt(visible) * Math.sqrt(Math.sqrt(visible));
      lightG += lamp.g * Math.max(0, (facing + SKIN_WRAP[1]) / (1 + SKIN_WRAP[1])) * visible;
      lightB += lamp.b * Math.max(0, (facing + SKIN_WRAP[2]) / (1 + SKIN_WRAP[2])) * visible;
    } else if (facing > 0) {
      lightR += lamp.r * facing * visible;
      lightG += lamp.g * facing * visible;
      lightB += lamp.b * facing * visible;
    }
    if (facing <= 0) continue;
    const hx = lamp.x + vx;
    const hy = lamp.y + vy;
    const hz = lamp.z + vz;
    const half = 1 / Math.sqrt(hx * hx + hy * hy + hz * hz);
    const nh = (nx * hx + ny * hy + nz * hz) * half;
    const vh = 1 - (vx * hx + vy * hy + vz * hz) * half;
    const fresnel = 0.028 + 0.972 * vh * vh * vh * vh * vh;
    const wide = 0.3 * lamp.spread;
    // Two lobes, for the dull skin and the film of oil on it.
    const lobes = 0.8 * lobe(nh, facing, facingEye, roughness + wide) + 0.5 * lobe(nh, facing, facingEye, roughness * 0.58 + wide);
    const shine = visible * facing * fresnel * gloss * lobes;
    shineR += lamp.r * shine;
    shineG += lamp.g * shine;
    shineB += lamp.b * shine;
  }
  // Bright surroundings mirrored at grazing angles.
  const grazing = (1 - facingEye) ** 5 * gloss * 0.35;
  rgb[0] = surface.r * lightR + shineR + grazing * ambientR;
  rgb[1] = surface.g * lightG + shineG + grazing * ambientG;
  rgb[2] = surface.b * lightB + shineB + grazing * ambientB;
}

/** GGX distribution times a merged visibility term; without pi, as lights are given by what a white surface sends back. */
function lobe(nh: number, nl: number, nv: number, roughness: number): number {
  const r2 = roughness * roughness;
  const a2 = r2 * r2;
  const d = nh * nh * (a2 - 1) + 1;
  const k = r2 / 2;
  return a2 / (d * d) / (4 * (nl * (1 - k) + k) * (nv * (1 - k) + k) + 1e-3);
}

/**
 * Hair. Diffuse light by the sine of the angle to the hair (Kajiya and Kay, SIGGRAPH 1989); a white highlight and a tinted one that is
 * shifted along the hair (after Marschner et al., SIGGRAPH 2003).
 */
function shadeStrand(
  hit: Hit,
  lamps: readonly Lamp[],
  look: PersonLook,
  share: number,
  shade: number,
  kind: number,
  rgb: Float64Array,
): void {
  const { nx: tx, ny: ty, nz: tz, seen } = hit;
  const isHead = kind < 0.5;
  const isLash = kind > 1.5 && kind < 2.5;
  // Roots are darker, tips bleached; brows and lashes darker than the head's hair.
  const tone = (0.7 + 0.6 * shade) * (isHead ? 0.55 + 0.6 * share : isLash ? 0.22 : 0.62);
  const hr = look.hairColor[0] * tone;
  const hg = look.hairColor[1] * tone;
  const hb = look.hairColor[2] * tone;
  let r = hit.ambientR * 1.1;
  let g = hit.ambientG * 1.1;
  let b = hit.ambientB * 1.1;
  let shineR = 0;
  let shineG = 0;
  let shineB = 0;
  const tv = tx * hit.vx + ty * hit.vy + tz * hit.vz;
  const sinV = Math.sqrt(Math.max(0, 1 - tv * tv));
  const strength = isHead ? 1 : 0.25;
  for (let i = 0; i < 3; i++) {
    const visible = seen[i]!;
    if (visible <= 0) continue;
    const lamp = lamps[i]!;
    const tl = tx * lamp.x + ty * lamp.y + tz * lamp.z;
    const sinL = Math.sqrt(Math.max(0, 1 - tl * tl));
    const diffuse = sinL * 0.7 * visible;
    const cosine = sinL * sinV - tl * tv;
    const shift = (shade - 0.5) * 0.1;
    const white = Math.max(0, cosine + shift) ** 48 * 0.022 * visible * strength;
    const tinted = Math.max(0, cosine - 0.1 + shift) ** 12 * 0.75 * visible * strength;
    r += lamp.r * diffuse;
    g += lamp.g * diffuse;
    b += lamp.b * diffuse;
    shineR += lamp.r * (white + tinted * hr);
    shineG += lamp.g * (white + tinted * hg);
    shineB += lamp.b * (white + tinted * hb);
  }
  rgb[0] = hr * r + shineR;
  rgb[1] = hg * g + shineG;
  rgb[2] = hb * b + shineB;
}
