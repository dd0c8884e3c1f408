import type { FaceModel, ModelPart, PartMaterial } from '../models/face-model.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { estimateEyeColors } from './eye-color.ts';
import { createEyeTemplate, type EyeTemplate, paintEye } from './eye-textures.ts';
import type { SurfaceMaterial, TextureMap } from './face-maps.ts';
import type { HeadColors } from './head-colors.ts';
import { paintLashAlpha } from './lash-texture.ts';
import { paintMouth, paintTeeth } from './mouth-textures.ts';
import type { PaintCanvas } from './paint-surface.ts';
import { smoothstep } from './smoothstep.ts';
import { createTexelMap, rasterizeAttribute } from './texel-map.ts';

/** Eyes, mouth and lashes of a model: what is painted rather than photographed, as far as it is the same for everyone. */
export interface DetailTables {
  readonly eye: EyeTemplate | null;
  /** Each null where the model has no such part. */
  readonly teeth: SquareTexture | null;
  readonly mouth: SquareTexture | null;
  readonly lashes: SquareTexture | null;
  readonly occlusion: SquareTexture | null;
  readonly blend: SquareTexture | null;
}

interface SquareTexture {
  readonly size: number;
  /** Shape (size,size,3) or, where it is the opacity of one colour, (size,size,4). */
  readonly data: Uint8Array;
}

/** The rim of the lids lies in their shade. */
const LID_SHADE = 0.85;

/** Side of textures that only hold a soft gradient. */
const GRADIENT_SIZE = 128;

export function computeDetailTables(model: FaceModel, textureSize: number): DetailTables {
  const partsOf = (material: PartMaterial): readonly ModelPart[] => model.parts.filter((p) => p.material === material);
  // Shares of the skin's size at which a texel is about as wide on the face as the skin's.
  const [eyeSize, mouthSize, lashesSize] = [2, 4, 2].map((share) => Math.min(1024, textureSize / share));
  const paint = (material: PartMaterial, size: number, painter: (parts: readonly ModelPart[]) => Uint8Array): SquareTexture | null => {
    const parts = partsOf(material);
    return parts.length === 0 ? null : { size, data: painter(parts) };
  };
  const eyeball = partsOf('sclera')[0];
  return {
    eye: eyeball === undefined ? null : createEyeTemplate(model, eyeball, eyeSize),
    teeth: paint('teeth', mouthSize, (parts) => paintTeeth(model, parts, mouthSize)),
    mouth: paint('mouth', mouthSize, (parts) => paintMouth(model, parts, mouthSize)),
    lashes: paint('lashes', lashesSize, (parts) => withAlpha(paintLashAlpha(model, parts, lashesSize))),
    occlusion: paint('eyeOcclusion', GRADIENT_SIZE, () => withAlpha(paintOcclusion(GRADIENT_SIZE))),
    blend: paint('eyeBlend', GRADIENT_SIZE, (parts) => withAlpha(paintCorner(model, parts, GRADIENT_SIZE))),
  };
}

/**
 * Roughness (glTF) of gums and tongue, and of teeth. Real ones are wet and smoother, but lie in the shade of lips and cheeks; most
 * viewers light the inside of a mouth as if it were open to the sky, and a smooth tongue shines there like chrome.
 */
const MOUTH_ROUGHNESS = 0.8;
const TEETH_ROUGHNESS = 0.45;

/**
 * Surfaces of everything but skin and scalp.
 *
 * @param canvas - in the memory in which the eye's template lies; written
 */
export function paintDetails(
  { eye, teeth, mouth, lashes, occlusion, blend }: DetailTables,
  model: FaceModel,
  input: { readonly landmarks: FaceLandmarks; readonly view: PhotoView },
  colors: HeadColors,
  canvas: PaintCanvas,
): SurfaceMaterial[] {
  const has = (m: PartMaterial): boolean => model.parts.some((p) => p.material === m);
  const [r, g, b] = colors.skin;
  const skinLuma = 0.299 * r + 0.587 * g + 0.114 * b;
  const { saturation } = colors;
  // Photos of dark scenes keep their light: what is painted is as bright as the rest.
  const exposure = Math.max(0.55, Math.min(1.05, 0.55 + (0.5 * skinLuma) / 165));
  const out: SurfaceMaterial[] = [];
  const light: [number, number, number, number] = [...linear([255 * exposure, 255 * exposure, 255 * exposure]), 1];
  if (mouth !== null) out.push({ ...opaque('mouth', ['mouth'], texture('mouth', mouth, saturation), MOUTH_ROUGHNESS), baseColor: light });
  if (teeth !== null) out.push({ ...opaque('teeth', ['teeth'], texture('teeth', teeth, saturation), TEETH_ROUGHNESS), baseColor: light });
  if (eye !== null) {
    const eyeColors = estimateEyeColors(input.landmarks, input.view, skinLuma);
    const map: TextureMap = {
      name: 'eyes',
      width: eye.size,
      height: eye.size,
      channels: 3,
      data: paintEye(eye, eyeColors, saturation, canvas),
    };
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
  if (blend !== null) {
    out.push({
      ...opaque('eyeBlend', ['eyeBlend'], white('eyeBlend', blend), 0.2),
      baseColor: [...linear(flesh), 1],
      alphaMode: 'BLEND',
    });
  }
  if (occlusion !== null) {
    out.push({
      ...opaque('eyeOcclusion', ['eyeOcclusion'], white('eyeOcclusion', occlusion), 1),
      baseColor: [...linear([24, 14, 12]), 1],
      alphaMode: 'BLEND',
    });
  }
  if (lashes !== null) {
    const dark = colors.hair === null ? [60, 45, 38] : colors.hair.rgb;
    const lash: [number, number, number] = [
      Math.min(70, 0.3 * dark[0] + 8),
      Math.min(60, 0.28 * dark[1] + 6),
      Math.min(55, 0.26 * dark[2] + 6),
    ];
    out.push({
      ...opaque('lashes', ['lashes'], white('lashes', lashes), 0.8),
      baseColor: [...linear(lash), 1],
      alphaMode: 'BLEND',
      doubleSided: true,
    });
  }
  return out;
}

function opaque(name: string, materials: readonly PartMaterial[], albedo: TextureMap | null, roughness: number): SurfaceMaterial {
  return { name, materials, albedo, baseColor: [1, 1, 1, 1], roughness, alphaMode: 'OPAQUE', doubleSided: false };
}

function texture(name: string, { size, data: rgb }: SquareTexture, saturation: number): TextureMap {
  if (saturation === 1) return { name, width: size, height: size, channels: 3, data: rgb, isConstant: true };
  const data = new Uint8Array(rgb.length);
  for (let o = 0; o < rgb.length; o += 3) {
    const y = 0.299 * rgb[o] + 0.587 * rgb[o + 1] + 0.114 * rgb[o + 2];
    for (let k = 0; k < 3; k++) data[o + k] = y + saturation * (rgb[o + k] - y) + 0.5;
  }
  return { name, width: size, height: size, channels: 3, data };
}

/** The colour comes from the material; the texture holds the opacity. */
function white(name: string, { size, data }: SquareTexture): TextureMap {
  return { name, width: size, height: size, channels: 4, data, isConstant: true };
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
