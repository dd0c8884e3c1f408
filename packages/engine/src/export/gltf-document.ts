/** @module The part of the glTF 2.0 JSON that the GLB writer uses. Names and numbers are those of the specification. */

export interface GltfBufferView {
  readonly buffer: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly byteStride?: number;
  readonly target?: number;
  readonly extensions?: { readonly EXT_meshopt_compression: MeshoptView };
}

/** Where the compressed bytes of a buffer view are. Source: EXT_meshopt_compression, "Specifying compressed views". */
export interface MeshoptView {
  readonly buffer: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly byteStride: number;
  readonly count: number;
  readonly mode: 'ATTRIBUTES' | 'TRIANGLES';
  readonly filter?: 'OCTAHEDRAL';
}

export interface GltfAccessor {
  readonly bufferView?: number;
  readonly byteOffset?: number;
  readonly componentType: number;
  readonly normalized?: boolean;
  readonly count: number;
  readonly type: 'SCALAR' | 'VEC2' | 'VEC3';
  readonly min?: readonly number[];
  readonly max?: readonly number[];
  readonly sparse?: {
    readonly count: number;
    readonly indices: { readonly bufferView: number; readonly byteOffset: number; readonly componentType: number };
    readonly values: { readonly bufferView: number; readonly byteOffset: number };
  };
}

export interface GltfPrimitive {
  readonly attributes: { readonly POSITION: number; readonly NORMAL: number; readonly TEXCOORD_0: number };
  readonly indices: number;
  readonly material: number;
  readonly targets?: readonly { readonly POSITION: number }[];
}

export interface GltfMesh {
  readonly name: string;
  readonly primitives: readonly GltfPrimitive[];
  readonly weights?: readonly number[];
  readonly extras?: { readonly targetNames: readonly string[] };
}

export interface GltfNode {
  readonly name: string;
  readonly mesh?: number;
  readonly children?: readonly number[];
  readonly translation?: readonly number[];
  readonly scale?: readonly number[];
}

export const COMPONENT_BYTE = 5120;
export const COMPONENT_SHORT = 5122;
export const COMPONENT_UNSIGNED_SHORT = 5123;
export const COMPONENT_UNSIGNED_INT = 5125;
export const COMPONENT_FLOAT = 5126;
/** Vertex attributes. */
export const ARRAY_BUFFER = 34962;
/** Triangle indices. */
export const ELEMENT_ARRAY_BUFFER = 34963;

/** Most vertices that 16-bit indices reach: the largest index is reserved (glTF 2.0 specification, section 3.7.2.1). */
export const MAX_SHORT_VERTICES = 65535;
