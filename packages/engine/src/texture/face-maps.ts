import type { PartMaterial } from '../models/face-model.ts';

/** One texture picture, sRGB 8 bit; alpha only where a material needs it (lashes, occlusion). */
export interface TextureMap {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** Shape (height, width, channels), row-major, row 0 = v 0 (top, as in glTF). */
  readonly data: Uint8Array;
  /** True where all faces of the model have these very pixels. @default false */
  readonly isConstant?: boolean;
}

/** Constants of a PBR (metallic-roughness) material and the textures it uses. */
export interface SurfaceMaterial {
  readonly name: string;
  readonly materials: readonly PartMaterial[];
  readonly albedo: TextureMap | null;
  /** Linear RGBA, multiplied with the albedo. */
  readonly baseColor: readonly [number, number, number, number];
  readonly roughness: number;
  readonly alphaMode: 'OPAQUE' | 'MASK' | 'BLEND';
  readonly doubleSided: boolean;
}

/** Everything that colours a reconstructed face. */
export interface FaceMaps {
  /** One per group of parts that share a texture; every part material of the model is named exactly once. */
  readonly surfaces: readonly SurfaceMaterial[];
  /** Shape (size,size), 0..255: how far each skin texel comes from the photo (255) or was completed (0). */
  readonly observed: { readonly size: number; readonly data: Uint8Array };
  /** Share of face texels seen in the photo, 0..1. */
  readonly observedRatio: number;
}
