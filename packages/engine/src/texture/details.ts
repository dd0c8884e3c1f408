import type { FaceModel, ModelPart, PartMaterial } from '../models/face-model.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { estimateEyeColors } from './eye-color.ts';
import { createEyeTemplate, type EyeTemplate, paintEye } from './eye-textures.ts';
import type { SurfaceMaterial, TextureMap } from './face-maps.ts';
import type { HeadColors } from './head-colors.ts';
import { paintLashAlpha } from './lash-texture.ts';
import { paintMouth, paintTeeth } from './mouth-textures.ts';
import { smoothstep } from './smoothstep.ts';
import { createTexelMap, rasterizeAttribute } from './texel-map.ts';

/** Eyes, mouth and lashes of a model: what is painted rather than photographed, as far as it is the same for everyone. Made when first used. */
export interface Details {
  readonly eye: () => EyeTemplate | null;
  readonly teeth: () => Uint8Array;
  readonly mouth: () => Uint8Array;
  readonly lashAlpha: () => Uint8Array;
  readonly occlusion: () => Uint8Array;
  readonly blend: () => Uint8Array;
  readonly size: { readonly eye: number; readonly mouth: number; readonly lashes: number; readonly small: number };
}

/** The rim of the lids lies in their shade. */
const LID_SHADE = 0.85;

export function createDetails(model: FaceModel, textureSize: number): Details {
  const partsOf = (material: PartMaterial): readonly ModelPart[] => model.parts.filter((p) => p.material === material);
  // Shares of the skin's size at which a texel is about as wide on the face as the skin's.
  const size = {
    eye: Math.min(1024, textureSize / 2),
    mouth: Math.min(1024, textureSize / 4),
    lashes: Math.min(1024, textureSize / 2),
    small: 128,
  };
  return {
    size,
    eye: once(() => {
      const part = partsOf('sclera')[0];
      return part === undefined ? null : createEyeTemplate(model, part, size.eye);
    }),
    teeth: once(() => paintTeeth(model, partsOf('teeth'), size.mouth)),
    mouth: once(() => paintMouth(model, partsOf('mouth'), size.mouth)),
    lashAlpha: once(() => withAlpha(paintLashAlpha(model, partsOf('lashes'), size.lashes))),
    occlusion: once(() => withAlpha(paintOcclusion(size.small))),
    blend: once(() => withAlpha(paintCorner(model, partsOf('eyeBlend'), size.small))),
  };
}

/** Surfaces of everything but skin and scalp. */
export function paintDetails(
  details: Details,
  model: FaceModel,
  input: { readonly landmarks: FaceLandmarks; readonly view: PhotoView },
  colors: HeadColors,
): SurfaceMaterial[] {
  const has = (m: PartMaterial): boolean => model.parts.some((p) => p.material === m);
  const [r, g, b] = colors.skin;
  const skinLuma = 0.299 * r + 0.587 * g + 0.114 * b;
  const { saturation } = colors;
  // Photos of dark scenes keep their light: what is painted is as bright as the rest.
  const exposure = Math.max(0.55, Math.min(1.05, 0.55 + (0.5 * skinLuma) / 165));
  const out: SurfaceMaterial[] = [];
  const { size } = details;
  const light: [number, number, number, number] = [...linear([255 * exposure, 255 * exposure, 255 * exposure]), 1];
  if (has('mouth')) {
    out.push({ ...opaque('mouth', ['mouth'], texture('mouth', size.mouth, details.mouth(), saturation), 0.35), baseColor: light });
  }
  if (has('teeth'))
    out.push({ ...opaque('teeth', ['teeth'], texture('teeth', size.mouth, details.teeth(), saturation), 0.25), baseColor: light });
  const eye = details.eye();
  if (eye !== null) {
    const eyeColors = estimateEyeColors(input.landmarks, input.view, skinLuma);
    const map: TextureMap = { name: 'eyes', width: eye.size, height: eye.size, channels: 3, data: paintEye(eye, eyeColors, saturation) };
    out.push(opaque('eyes', ['sclera'], map, 0.12));
    // The inner iris lies behind the painted cornea and is not seen; its colour keeps it right where a renderer makes the cornea clear.
    if (has('iris')) out.push({ ...opaque('iris', ['iris'], null, 0.3), baseColor: [...linear(eyeColors.iris), 1] });
  }
  // The wet rim of the lids and the corner of the eye: flesh, from the person's own skin.
  const flesh: [number, number, number] = [
    0.7 * r + 0.3 * 190 * exposure,
    0.72 * g + 0.28 * 95 * exposure,
    0.72 * b + 0.28 * 90 * exposure,
  ];
  for (let k = 0; k < 3; k++) flesh[k] *= LID_SHADE;
  desaturate(flesh, saturation);
  if (has('lacrimal')) out.push({ ...opaque('lacrimal', ['lacrimal'], null, 0.2), baseColor: [...linear(flesh), 1] });
  if (has('eyeBlend')) {
    out.push({
      ...opaque('eyeBlend', ['eyeBlend'], white('eyeBlend', size.small, details.blend()), 0.2),
      baseColor: [...linear(flesh), 1],
      alphaMode: 'BLEND',
    });
  }
  if (has('eyeOcclusion')) {
    out.push({
      ...opaque('eyeOcclusion', ['eyeOcclusion'], white('eyeOcclusion', size.small, details.occlusion()), 1),
      baseColor: [...linear([24, 14, 12]), 1],
      alphaMode: 'BLEND',
    });
  }
  if (has('lashes')) {
    const dark = colors.hair === null ? [60, 45, 38] : colors.hair.rgb;
    const lash: [number, number, number] = [
      Math.min(70, 0.3 * dark[0] + 8),
      Math.min(60, 0.28 * dark[1] + 6),
      Math.min(55, 0.26 * dark[2] + 6),
    ];
    out.push({
      ...opaque('lashes', ['lashes'], white('lashes', size.lashes, details.lashAlpha()), 0.8),
      baseColor: [...linear(lash), 1],
      alphaMode: 'BLEND',
      doubleSided: true,
    });
  }
  return out;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function opaque(name: string, materials: readonly PartMaterial[], albedo: TextureMap | null, roughness: number): SurfaceMaterial {
  return { name, materials, albedo, baseColor: [1, 1, 1, 1], roughness, alphaMode: 'OPAQUE', doubleSided: false };
}

function texture(name: string, size: number, rgb: Uint8Array, saturation: number): TextureMap {
  if (saturation === 1) return { name, width: size, height: size, channels: 3, data: rgb };
  const data = new Uint8Array(rgb.length);
  for (let o = 0; o < rgb.length; o += 3) {
    const y = 0.299 * rgb[o] + 0.587 * rgb[o + 1] + 0.114 * rgb[o + 2];
    for (let k = 0; k < 3; k++) data[o + k] = y + saturation * (rgb[o + k] - y) + 0.5;
  }
  return { name, width: size, height: size, channels: 3, data };
}

/** The colour comes from the material; the texture holds the opacity. */
function white(name: string, size: number, rgba: Uint8Array): TextureMap {
  return { name, width: size, height: size, channels: 4, data: rgba };
}

/** White with the given opacity, shape (N,4). */
function withAlpha(alpha: Uint8Array): Uint8Array {
  const data = new Uint8Array(4 * alpha.length).fill(255);
  for (let p = 0; p < alpha.length; p++) data[4 * p + 3] = alpha[p];
  return data;
}

/** Shade of the lids on the eye: v runs from the upper lid's edge (0) to the lower's (1). Shape (size,size), 0..255. */
function paintOcclusion(size: number): Uint8Array {
  const alpha = new Uint8Array(size * size);
  for (let row = 0, p = 0; row < size; row++) {
    const v = (row + 0.5) / size;
    for (let column = 0; column < size; column++, p++) {
      const u = (column + 0.5) / size;
      const top = 1 - smoothstep(0, 0.4, v);
      const bottom = 1 - smoothstep(0, 0.3, 1 - v);
      const corner = Math.max(1 - smoothstep(0.02, 0.2, u), smoothstep(0.75, 1, u));
      alpha[p] = 255 * Math.min(0.7, 0.6 * top * top + 0.28 * bottom * bottom + 0.25 * corner) + 0.5;
    }
  }
  return alpha;
}

/** Opacity of the flesh that runs from the corner of the eye onto the eyeball: full at the nose, none toward the iris. */
function paintCorner(model: FaceModel, parts: readonly ModelPart[], size: number): Uint8Array {
  const map = createTexelMap(model, parts, size, 3);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const fromMidline = new Float32Array(model.vertexCount);
  for (const { firstTriangle, triangleCount } of parts) {
    for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i++) {
      const v = model.triangles[i];
      const x = Math.abs(model.neutral[3 * v]);
      fromMidline[v] = x;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  const x = rasterizeAttribute(map, model.triangles, fromMidline, 1, 0, high);
  return Uint8Array.from(x, (value) => 235 * (1 - smoothstep(low + 0.1 * (high - low), low + 0.75 * (high - low), value)) + 0.5);
}

function linear(rgb: readonly number[]): [number, number, number] {
  return [0, 1, 2].map((k) => {
    const c = Math.max(0, Math.min(255, rgb[k])) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
}

function desaturate(rgb: [number, number, number], saturation: number): void {
  const y = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  for (let k = 0; k < 3; k++) rgb[k] = y + saturation * (rgb[k] - y);
}
