/** Fourth corner of a polygon that is a triangle. */
export const NO_CORNER = 0xffffffff;

/** What a part of the head is made of. */
export type HeadMaterial = 'skin' | 'scalp' | 'mouth' | 'teeth' | 'sclera' | 'iris' | 'lacrimal' | 'eyeBlend' | 'eyeOcclusion' | 'lashes';

/** A run of polygons with one material. */
export interface HeadPart {
  readonly name: string;
  readonly material: HeadMaterial;
  readonly firstPolygon: number;
  readonly polygonCount: number;
  /** Upstream's texture tile: upstream's u = u here + tile. */
  readonly uvTile: number;
}

/** Areas of the surface, each a smooth weight 0..1 per vertex. */
export type HeadRegion = 'face' | 'lips' | 'ears' | 'scalp' | 'neck' | 'eyelids' | 'brows';

/**
 * The identity modes, kept on one side of the symmetric head. Every displacement field is the sum of a part that is the same on
 * both sides and one that is opposite; most modes are one of the two, a few have both. A column is one such part.
 */
export interface IdentityBasis {
  /** K */
  readonly modeCount: number;
  /** C */
  readonly columnCount: number;
  /** The first columns are the same on both sides, the others opposite. */
  readonly symmetricColumns: number;
  /** Shape (C): mode that the column belongs to, ascending within each kind. */
  readonly columnMode: Uint16Array;
  /** Shape (H): the vertices with a row of their own: one of each pair, both where a pair is not symmetric enough. */
  readonly rowVertex: Uint16Array;
  /** Shape (H): the vertex on the other side that the row stands for too; the same vertex where there is none. */
  readonly rowPartner: Uint16Array;
  /** Shape (H): millimetres per step. */
  readonly rowStepMm: Float32Array;
  /** Shape (C,3,H): displacement per standard deviation, steps: the low byte of each number, which is all of it for most. */
  readonly steps: Int8Array;
  /** What is left of the larger numbers, column by column. */
  readonly carries: StepCarries;
  /** Bodies that move and stretch as a whole: teeth and eyeballs. Their vertices have no rows. */
  readonly bodies: readonly AffineBody[];
}

/** Numbers of steps that a byte does not hold: 256 times `amount` is added to entry `place` of the column. */
export interface StepCarries {
  /** Shape (C): how many each column has. */
  readonly count: Uint16Array;
  /** Shape (n): entry of its column, of 3 H. */
  readonly place: Uint16Array;
  /** Shape (n) */
  readonly amount: Int8Array;
}

/** A run of vertices, on one side, whose displacement is an affine function of the neutral place: t + B (x - centre). */
export interface AffineBody {
  readonly firstVertex: number;
  readonly vertexCount: number;
  readonly center: readonly [number, number, number];
  /** Shape (C,3,4): per column and axis t and the row of B; millimetres. */
  readonly columns: Float32Array;
}

/** One expression shape: only the vertices that move are kept. */
export interface SparseShape {
  readonly name: string;
  /** Shape (M): the vertices that move, ascending. */
  readonly vertices: Uint16Array;
  /** Shape (3,M): displacement at amount 1, first all x, then y, then z; in steps of `stepMm`. */
  readonly steps: Int16Array;
  readonly stepMm: number;
}

/** Where the 478 landmarks of the face network lie on the head. */
export interface HeadLandmarks {
  /** Shape (L): number among the 478. */
  readonly landmark: Uint16Array;
  /** Shape (L): triangle it lies on, as `triangulate` counts them. */
  readonly triangle: Uint32Array;
  /** Shape (L,3) */
  readonly barycentric: Float32Array;
  /** Shape (L): index in this table of the landmark on the other side. */
  readonly mirror: Uint16Array;
  /** Shape (L), 0..1: how sure the place is on this head. */
  readonly confidence: Float32Array;
  /** Shape (L,3), millimetres: on the neutral head. */
  readonly mean: Float32Array;
  /** Shape (K,L,3), millimetres per standard deviation: what follows from the modes of the corners. */
  readonly identity: Float32Array;
  /** Shape (E,L,3), millimetres at amount 1. */
  readonly expression: Float32Array;
}

/** How exactly the stored numbers stand for the archive's, as the generator measured it. Millimetres. */
export interface QuantisationRecord {
  readonly identityStepMm: number;
  readonly expressionStepMm: number;
  readonly faceRmsMm: number;
  readonly faceWorstMm: number;
  readonly otherRmsMm: number;
  readonly otherWorstMm: number;
}

/**
 * The decoded head model. Frame "model": x to the person's left, y up, z toward the viewer, millimetres, origin midway
 * between the eyeball centres of the neutral head. Vertex order, polygons and UVs are upstream's.
 */
export interface HeadModelData {
  readonly id: string;
  readonly version: string;
  readonly licence: { readonly spdx: string; readonly notice: string; readonly source: string };
  readonly vertexCount: number;
  /** Shape (V,3), millimetres. */
  readonly neutral: Float32Array;
  /**
   * Shape (P,4): corners, counter-clockwise from outside; {@link NO_CORNER} last where the polygon is a triangle. Upstream's
   * polygons in upstream's order; the first corner is chosen so that the diagonal 0-2 is the better one.
   */
  readonly polygons: Uint32Array;
  /** Shape (P,4): index into `uvs` of each corner. */
  readonly polygonUvs: Uint32Array;
  /** Shape (U,2): u right, v down from the top edge, 0..1 in the tile of the part. */
  readonly uvs: Float32Array;
  readonly parts: readonly HeadPart[];
  /** Shape (V) */
  readonly mirrorVertex: Uint16Array;
  readonly identity: IdentityBasis;
  readonly expressions: readonly SparseShape[];
  readonly landmarks: HeadLandmarks;
  readonly regions: Readonly<Record<HeadRegion, Float32Array>>;
  readonly quantisation: QuantisationRecord;
}
