/** What a part of the mesh is made of: decides its texture and PBR material. */
export type PartMaterial = 'skin' | 'scalp' | 'mouth' | 'teeth' | 'sclera' | 'iris' | 'lacrimal' | 'eyeBlend' | 'eyeOcclusion' | 'lashes';

/** A run of triangles with one material. */
export interface ModelPart {
  readonly name: string;
  readonly material: PartMaterial;
  readonly firstTriangle: number;
  readonly triangleCount: number;
  /** Run of `polygons`, where the model has them. */
  readonly firstPolygon?: number;
  readonly polygonCount?: number;
  /** Texture tile of the source (UDIM style): u there = u here + tile. */
  readonly uvTile?: number;
}

/** Areas of the surface that texture and export treat differently. */
export type FaceRegionName = 'face' | 'lips' | 'ears' | 'scalp' | 'neck' | 'eyelids' | 'brows';

/**
 * A linear face model: shape = neutral + identity modes + expression shapes.
 *
 * Frame "model": x to the person's left (right in the picture), y up, z toward the viewer, millimetres, right-handed; origin between the
 * eyeball centres of the neutral mean face. Triangles are counter-clockwise seen from outside. UVs as in glTF: u right, v down, 0..1.
 */
export interface FaceModel {
  readonly id: string;
  /** Semantic version of the model data. */
  readonly version: string;
  readonly licence: { readonly spdx: string; readonly notice: string; readonly source: string };

  readonly vertexCount: number;
  /** Shape (V,3), millimetres: mean identity, neutral expression. */
  readonly neutral: Float32Array;
  /** Shape (T,3): vertex of each corner. */
  readonly triangles: Uint32Array;
  /** Shape (U,2). */
  readonly uvs: Float32Array;
  /** Shape (T,3): index into `uvs` of each corner. UV islands of different parts may lie on one another: each part has its own texture. */
  readonly triangleUvs: Uint32Array;
  readonly parts: readonly ModelPart[];
  /**
   * The same surface before it was cut into triangles, for formats that keep quads: shape (P,4) each, 0xffffffff as the last corner of a
   * polygon that is a triangle. Absent where the model is made of triangles.
   */
  readonly polygons?: { readonly vertices: Uint32Array; readonly uvs: Uint32Array };
  /** Shape (V) each, 0..1 with soft edges: how far a vertex belongs to the area. */
  readonly regions: Readonly<Record<FaceRegionName, Float32Array>>;
  /** Shape (V): the vertex on the other side of the face (itself on the midline). */
  readonly mirrorVertex: Uint32Array;

  readonly identityCount: number;
  /** Names of the expression shapes that the fit uses and `evaluate` takes, in order. */
  readonly expressionNames: readonly string[];
  /** What is exported as morph targets: ARKit names, each a weighted sum of expression shapes. */
  readonly blendshapes: readonly {
    readonly name: string;
    readonly terms: readonly { readonly expression: number; readonly weight: number }[];
  }[];

  /**
   * Where the network's landmarks lie on this model. Point l = sum of `barycentric[l]` times the corners of triangle
   * `triangle[l]`; `landmark[l]` is its number among the 478. Everything here is at the landmarks only, so that a fit
   * never touches the whole mesh.
   */
  readonly landmarks: LandmarkBasis;

  /**
   * Vertex positions of a face.
   *
   * @param identity - shape (identityCount), standard deviations; shorter is padded with zeros
   * @param expression - shape (expressionNames.length), 0..1 each as a rule; shorter is padded with zeros
   * @param out - shape (V,3), written and returned when given
   * @returns shape (V,3), millimetres, model frame
   * @throws FW_ARG_INVALID for a number that is not finite or an array that is too long
   */
  evaluate(identity: ArrayLike<number>, expression: ArrayLike<number>, out?: Float32Array): Float32Array;

  /** Displacement of one expression shape, shape (V,3), millimetres (all zero where nothing moves). */
  expressionDelta(expression: number): Float32Array;
  /**
   * Adds `amount` times an expression shape to `out`, shape (V,3), and tells which vertices that moved, ascending. Absent where the model
   * does not keep its shapes sparsely.
   */
  addExpression?(expression: number, amount: number, out: Float32Array): Uint16Array | Uint32Array;
}

/** What the landmark network reports minus what is true, on faces of one model; millimetres, model frame. */
export interface LandmarkHabits {
  /** Shape (10, L, 3): by the terms of the direction to the viewer (fit/view-terms.ts); the first is the mean face from the front. */
  readonly view: Float64Array;
  /** Shape (K, L, 3), per standard deviation: it is drawn to its own mean face. */
  readonly identity: Float64Array;
  /** Shape (E, L, 3), at amount 1. */
  readonly expression: Float64Array;
}

/**
 * What the landmark network knows of a face beyond its landmarks: linear in the landmarks and in its last picture ({@link FaceLandmarks.features}), measured
 * on rendered heads of one model (docs/decisions/face-readout.md; the file: models/read-face-readout.ts).
 */
export interface FaceReadout {
  /** F, length of the network's picture as a list. */
  readonly featureCount: number;
  /** K, first identity modes that it tells. */
  readonly identityCount: number;
  /** Shape (3+K): results are a rotation vector (radians) and the identity (standard deviations). */
  readonly constants: Float32Array;
  /** Shape (3, 3+K): what one step of `rows` is worth, in the view's terms, the landmarks (per millimetre) and the features. */
  readonly steps: Float32Array;
  /** Shape (3+K, 9 + 3 L + F), in steps. */
  readonly rows: Int8Array;
  /** Shape (K,K): of the identity's error. */
  readonly covariance: Float64Array;
}

export interface LandmarkBasis {
  /** L */
  readonly count: number;
  /** Shape (L): number among the network's 478. */
  readonly landmark: Uint16Array;
  /** Shape (L): triangle it lies on. */
  readonly triangle: Uint32Array;
  /** Shape (L,3) */
  readonly barycentric: Float32Array;
  /** Shape (L): index in this table of the landmark on the other side of the face. */
  readonly mirror: Uint16Array;
  /** Shape (L,3), millimetres: on the mean face. */
  readonly mean: Float64Array;
  /** Where the network reports the landmarks instead, so that its habits do not become shape. Absent: it is taken at its word. */
  readonly habits?: LandmarkHabits;
  /** Pose and identity from what the network knows. Absent: they are found in the landmarks alone. */
  readonly readout?: FaceReadout;
  /** Shape (K, L, 3), millimetres per standard deviation. */
  readonly identity: Float64Array;
  /** Shape (E, L, 3), millimetres at amount 1. */
  readonly expression: Float64Array;
  /**
   * Shape (L), 0..1: how sure the place is on this model. How far the network's landmark is a point of the surface at all, rather than an outline that
   * slides with the view, is the network's own matter (fit/landmark-trust.ts).
   */
  readonly confidence: Float64Array;
}
