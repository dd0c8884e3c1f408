import type { FittedFace } from '../src/fit/fitted-face.ts';
import type { FaceModel, ModelPart, PartMaterial } from '../src/models/face-model.ts';
import type { FaceMaps, SurfaceMaterial, TextureMap } from '../src/texture/face-maps.ts';

/** Columns and rows of the sheets, and the left-most and right-most x of the face, millimetres. */
const HALF_WIDTH_MM = 70;

interface Sheet {
  readonly name: string;
  readonly material: PartMaterial;
  readonly columns: number;
  readonly rows: number;
  readonly at: (u: number, v: number) => readonly [number, number, number];
  /** The middle column has UVs of its own on each side: a seam. */
  readonly hasSeam?: boolean;
}

const eye = (name: string, material: PartMaterial, side: 1 | -1, fromPolar: number, toPolar: number): Sheet => ({
  name,
  material,
  columns: 8,
  rows: 4,
  // A band of a sphere of radius 12 about (±32, 0, 0) whose pole looks to +z.
  at: (u, v) => {
    const polar = fromPolar + (toPolar - fromPolar) * v;
    const around = 2 * Math.PI * u;
    return [side * 32 + 12 * Math.sin(polar) * Math.cos(around), 12 * Math.sin(polar) * Math.sin(around), 12 * Math.cos(polar)];
  },
});

/**
 * A face model of some 200 vertices with everything that exporters must cope with: parts that share a surface, a UV seam, quads and
 * triangles, two eyeballs, and expression shapes that move some vertices a lot, some by less than is kept, and most not at all.
 *
 * @param detail - multiplies the columns and rows of the skin: 30 gives more vertices than 16 bits count
 */
export function createSyntheticModel(detail = 1): FaceModel {
  const bump = (u: number, v: number): readonly [number, number, number] => [
    2 * HALF_WIDTH_MM * (u - 0.5),
    180 * (0.5 - v),
    30 * Math.cos(Math.PI * (u - 0.5)) * Math.cos(Math.PI * (v - 0.5)),
  ];
  const sheets: Sheet[] = [
    { name: 'face', material: 'skin', columns: 8 * detail, rows: 10 * detail, at: bump, hasSeam: true },
    { name: 'headNeck', material: 'scalp', columns: 4, rows: 3, at: (u, v) => [60 * (0.5 - u), 90 - 40 * v, -60] },
    { name: 'teeth', material: 'teeth', columns: 3, rows: 1, at: (u, v) => [30 * (u - 0.5), -40 - 8 * v, 10] },
    eye('scleraLeft', 'sclera', 1, 0.5, 2.6),
    eye('irisLeft', 'iris', 1, 0.05, 0.5),
    eye('scleraRight', 'sclera', -1, 0.5, 2.6),
    eye('irisRight', 'iris', -1, 0.05, 0.5),
    { name: 'lashes', material: 'lashes', columns: 5, rows: 1, at: (u, v) => [64 * (u - 0.5), 8 + 3 * v, 28 + 4 * v] },
  ];
  const positions: number[] = [];
  const uvs: number[] = [];
  const polygons: number[] = [];
  const polygonUvs: number[] = [];
  const triangles: number[] = [];
  const triangleUvs: number[] = [];
  const parts: ModelPart[] = [];
  for (const sheet of sheets) {
    const { columns, rows, at } = sheet;
    const firstVertex = positions.length / 3;
    const firstUv = uvs.length / 2;
    const firstTriangle = triangles.length / 3;
    const firstPolygon = polygons.length / 4;
    for (let r = 0; r <= rows; r++) {
      for (let c = 0; c <= columns; c++) {
        positions.push(...at(c / columns, r / rows));
        uvs.push(c / columns, r / rows);
      }
    }
    const seam = columns / 2;
    const seamUv = uvs.length / 2;
    if (sheet.hasSeam) for (let r = 0; r <= rows; r++) uvs.push(0.98, r / rows);
    const stride = columns + 1;
    const addTriangle = (a: number, b: number, c: number, uvOf: (v: number) => number) => {
      triangles.push(firstVertex + a, firstVertex + b, firstVertex + c);
      triangleUvs.push(uvOf(a), uvOf(b), uvOf(c));
    };
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        // On the right of the seam, the vertices of the middle column have the other UV.
        const uvOf = (v: number) => (sheet.hasSeam && c >= seam && v % stride === seam ? seamUv + Math.floor(v / stride) : firstUv + v);
        const q = [r * stride + c, (r + 1) * stride + c, (r + 1) * stride + c + 1, r * stride + c + 1] as const;
        addTriangle(q[0], q[1], q[2], uvOf);
        addTriangle(q[0], q[2], q[3], uvOf);
        if (c === 0) {
          // A quad that stays two triangles, so that both kinds of polygon are there.
          polygons.push(
            ...[q[0], q[1], q[2]].map((v) => firstVertex + v),
            NO_CORNER,
            ...[q[0], q[2], q[3]].map((v) => firstVertex + v),
            NO_CORNER,
          );
          polygonUvs.push(...[q[0], q[1], q[2]].map(uvOf), NO_CORNER, ...[q[0], q[2], q[3]].map(uvOf), NO_CORNER);
        } else {
          polygons.push(...q.map((v) => firstVertex + v));
          polygonUvs.push(...q.map(uvOf));
        }
      }
    }
    parts.push({
      name: sheet.name,
      material: sheet.material,
      firstTriangle,
      triangleCount: triangles.length / 3 - firstTriangle,
      firstPolygon,
      polygonCount: polygons.length / 4 - firstPolygon,
    });
  }
  const neutral = Float32Array.from(positions);
  const vertexCount = neutral.length / 3;
  const shapes = createShapes(neutral);
  const triangleTable = Uint32Array.from(triangles);
  const evaluate: FaceModel['evaluate'] = (identity, expression, out = new Float32Array(neutral.length)) => {
    // One identity mode: everything grows by 5 % per standard deviation.
    const scale = 1 + 0.05 * (identity.length > 0 ? identity[0]! : 0);
    for (let i = 0; i < out.length; i++) {
      out[i] = scale * neutral[i]!;
      for (let e = 0; e < expression.length; e++) out[i]! += expression[e]! * shapes[e]!.delta[i]!;
    }
    return out;
  };
  const none = new Float32Array(vertexCount);
  return {
    id: 'synthetic',
    version: '2.1.0',
    licence: { spdx: 'CC0-1.0', notice: 'No rights reserved', source: 'made by a test' },
    vertexCount,
    neutral,
    triangles: triangleTable,
    uvs: Float32Array.from(uvs),
    triangleUvs: Uint32Array.from(triangleUvs),
    polygons: { vertices: Uint32Array.from(polygons), uvs: Uint32Array.from(polygonUvs) },
    parts,
    regions: { face: none, lips: none, ears: none, scalp: none, neck: none, eyelids: none, brows: none },
    mirrorVertex: Uint32Array.from({ length: vertexCount }, (_, v) => v),
    identityCount: 1,
    expressionNames: shapes.map((shape) => shape.name),
    blendshapes: [
      { name: 'jawOpen', terms: [{ expression: 0, weight: 1 }] },
      {
        name: 'browInnerUp',
        terms: [
          { expression: 1, weight: 1 },
          { expression: 2, weight: 0.5 },
        ],
      },
      { name: 'eyeLookUpLeft', terms: [{ expression: 3, weight: 1 }] },
      { name: 'tongueOut', terms: [] },
    ],
    landmarks: createLandmarks(neutral, triangleTable, shapes.length),
    evaluate,
    expressionDelta: (expression) => shapes[expression]!.delta,
  };
}

const NO_CORNER = 0xffffffff;

function createShapes(neutral: Float32Array): { readonly name: string; readonly delta: Float32Array }[] {
  const shape = (name: string, move: (x: number, y: number, z: number) => readonly [number, number, number]) => {
    const delta = new Float32Array(neutral.length);
    for (let i = 0; i < neutral.length; i += 3) delta.set(move(neutral[i]!, neutral[i + 1]!, neutral[i + 2]!), i);
    return { name, delta };
  };
  return [
    // From 0 below the eyes through the 0.08 mm from which they are kept to 20 mm at the chin.
    shape('jawOpen', (_x, y) => (y < -13 ? [0, -20 * ((-13 - y) / 77) ** 3, 3 * ((y + 13) / 77) ** 3] : [0, 0, 0])),
    shape('browInnerUp_L', (x, y) => (x >= 0 && y > 20 ? [0.1, 4, 0.2] : [0, 0, 0])),
    shape('browInnerUp_R', (x, y) => (x < 0 && y > 20 ? [-0.1, 4, 0.2] : [0, 0, 0])),
    // The left eyeball turns up by 0.4 rad about its centre; nothing else moves.
    shape('eyeLookUp_L', (x, y, z) => {
      const [cx, cy, cz] = [x - 32, y, z];
      if (Math.abs(Math.hypot(cx, cy, cz) - 12) > 1e-3) return [0, 0, 0];
      return [0, cy * Math.cos(0.4) + cz * Math.sin(0.4) - cy, -cy * Math.sin(0.4) + cz * Math.cos(0.4) - cz];
    }),
  ];
}

/** Four landmarks: nose tip, chin, and the inner edges of the lips. */
function createLandmarks(neutral: Float32Array, triangles: Uint32Array, expressionCount: number): FaceModel['landmarks'] {
  const triangle = Uint32Array.from([80, 150, 100, 101]);
  const barycentric = Float32Array.from([0.5, 0.25, 0.25, 1, 0, 0, 0, 0.5, 0.5, 0.25, 0.25, 0.5]);
  const mean = new Float64Array(12);
  for (let l = 0; l < 4; l++) {
    for (let c = 0; c < 3; c++) {
      for (let k = 0; k < 3; k++) mean[3 * l + k]! += barycentric[3 * l + c]! * neutral[3 * triangles[3 * triangle[l]! + c]! + k]!;
    }
  }
  return {
    count: 4,
    landmark: Uint16Array.from([1, 152, 13, 14]),
    triangle,
    barycentric,
    mirror: Uint16Array.from([0, 1, 2, 3]),
    mean,
    identity: new Float64Array(12),
    expression: new Float64Array(12 * expressionCount),
    confidence: new Float64Array(4).fill(1),
  };
}

/** A person of the synthetic model (a little larger than the mean, mouth half open), turned and placed before a 800 x 600 camera. */
export function createSyntheticFace(model: FaceModel = createSyntheticModel(), yawDeg = 20): FittedFace {
  const yaw = (yawDeg * Math.PI) / 180;
  const identity = Float64Array.of(0.7);
  const expression = Float64Array.of(0.5, 0, 0, 0);
  const positions = model.evaluate(identity, expression);
  return {
    model,
    intrinsics: { focalPx: 1000, centerX: 400, centerY: 300, source: 'default' },
    pose: {
      rotation: Float64Array.of(Math.cos(yaw), 0, Math.sin(yaw), 0, -1, 0, Math.sin(yaw), 0, -Math.cos(yaw)),
      translation: Float64Array.of(12, -20, 500),
      yawDeg,
      pitchDeg: 0,
      rollDeg: 0,
    },
    identity,
    expression,
    positions,
    neutralPositions: model.evaluate(identity, []),
    imagePoints: new Float32Array(2 * model.vertexCount),
    residualsPx: new Float64Array(478).fill(0.5),
    residualRmsPx: 0.5,
    eyeDistancePx: 150,
    confidence: 0.9,
  };
}

/** Textures of every kind: a colourful opaque one shared by two materials, plain colour, and alpha in few and in many colours. */
export function createSyntheticMaps(size = 64): FaceMaps {
  const texture = (name: string, channels: 3 | 4, value: (x: number, y: number, k: number) => number): TextureMap => {
    const data = new Uint8Array(size * size * channels);
    for (let i = 0; i < data.length; i++) data[i] = value(Math.floor(i / channels) % size, Math.floor(i / channels / size), i % channels);
    return { name, width: size, height: size, channels, data };
  };
  const skin = texture('albedo', 3, (x, y, k) => 120 + 40 * k + 30 * Math.sin(x / 5 + k) + 20 * Math.cos(y / 7));
  const lashes = texture('lashes', 4, (x, y, k) => (k < 3 ? 20 : (x * 5 + y) % 256));
  const surface = (
    name: string,
    materials: readonly PartMaterial[],
    albedo: TextureMap | null,
    rest: Partial<SurfaceMaterial> = {},
  ): SurfaceMaterial => ({
    name,
    materials,
    albedo,
    baseColor: [1, 1, 1, 1],
    roughness: 0.5,
    alphaMode: 'OPAQUE',
    doubleSided: false,
    ...rest,
  });
  return {
    surfaces: [
      surface('skin', ['skin', 'lacrimal'], skin),
      surface('scalp', ['scalp'], skin, { roughness: 0.8 }),
      surface('mouth', ['mouth', 'teeth'], null, { baseColor: [0.8, 0.75, 0.7, 1] }),
      surface(
        'eyes',
        ['sclera'],
        texture('eyes', 3, (x, y) => 150 + ((x * y) % 100)),
        { roughness: 0.1 },
      ),
      surface('iris', ['iris'], null, { baseColor: [0.1, 0.2, 0.3, 1] }),
      surface(
        'eyeShade',
        ['eyeBlend', 'eyeOcclusion'],
        texture('eyeShade', 4, (x, y, k) => (x * 3 + y * 7 * (k + 1)) % 256),
        { alphaMode: 'BLEND' },
      ),
      surface('lashes', ['lashes'], lashes, { alphaMode: 'BLEND', doubleSided: true }),
    ],
    observed: { size, data: texture('observed', 3, (x) => x).data.subarray(0, size * size) },
    observedRatio: 0.6,
  };
}
