import { FacewrightError } from '@facewright/protocol';
import { findNetworkPackage, readNetworkAsset } from './read-network-asset.ts';

/**
 * The mean face to which the network's landmarks 0..467 belong: one disc of triangles (eyes and mouth are covered, the
 * Euler number is 1). Same axes as the frame "model" (x to the person's left, y up, z toward the viewer), but in
 * centimetres and with its own origin, inside the head.
 */
export interface CanonicalMesh {
  /** 468 */
  readonly vertexCount: number;
  /** Shape (468,3), centimetres. */
  readonly positionsCm: Float32Array;
  /** Shape (468,2), 0..1, as in glTF: u right, v down from the top edge. */
  readonly uvs: Float32Array;
  /** Shape (898,3), counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** Shape (468): weight of each vertex in a Procrustes fit of landmarks to this mesh; 33 of them are above zero. */
  readonly procrustesWeights: Float32Array;
  /** Shape (468): for each vertex the one on the other side of the face, itself on the middle line. */
  readonly mirrorVertex: Uint16Array;
}

/**
 * Reads the canonical face mesh from the npm package @mediapipe/face_mesh (a `GeometryPipelineMetadata` protobuf; the
 * field numbers are those of MediaPipe's geometry_pipeline_metadata.proto and mesh_3d.proto).
 *
 * @param packageDir Folder that holds the archive. @default the installed package
 * @throws FW_NETWORK_CORRUPT
 */
export async function readCanonicalMesh(packageDir = findNetworkPackage()): Promise<CanonicalMesh> {
  return parseCanonicalMesh(await readNetworkAsset('canonical-mesh', packageDir));
}

function parseCanonicalMesh(bytes: Uint8Array): CanonicalMesh {
  const vertices: number[] = [];
  const indices: number[] = [];
  const weights = new Map<number, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  forEachField(view, 0, bytes.length, (field, value) => {
    if (field === FIELD.metadataMesh) {
      forEachField(view, value.start, value.end, (meshField, v) => {
        if (meshField === FIELD.meshVertices) appendFloats(view, v, vertices);
        else if (meshField === FIELD.meshIndices) appendVarints(view, v, indices);
      });
    } else if (field === FIELD.metadataBasis) {
      let id = 0;
      let weight = 0;
      forEachField(view, value.start, value.end, (basisField, v) => {
        if (basisField === FIELD.basisLandmark) id = v.varint;
        else if (basisField === FIELD.basisWeight) weight = view.getFloat32(v.start, true);
      });
      weights.set(id, weight);
    }
  });

  const vertexCount = vertices.length / VERTEX_FLOATS;
  const sane =
    vertexCount === VERTEX_COUNT && indices.length === 3 * TRIANGLE_COUNT && Math.max(...indices) < VERTEX_COUNT && weights.size > 3;
  if (!sane) throw new FacewrightError('FW_NETWORK_CORRUPT', { name: 'canonical-mesh', reason: 'its content has another form' });

  const positionsCm = new Float32Array(3 * vertexCount);
  const uvs = new Float32Array(2 * vertexCount);
  for (let i = 0; i < vertexCount; i++) {
    positionsCm.set(vertices.slice(VERTEX_FLOATS * i, VERTEX_FLOATS * i + 3), 3 * i);
    uvs.set(vertices.slice(VERTEX_FLOATS * i + 3, VERTEX_FLOATS * i + 5), 2 * i);
  }
  const procrustesWeights = new Float32Array(vertexCount);
  for (const [id, weight] of weights) procrustesWeights[id] = weight;
  return {
    vertexCount,
    positionsCm,
    uvs,
    triangles: Uint32Array.from(indices),
    procrustesWeights,
    mirrorVertex: findMirrorVertices(positionsCm),
  };
}

/** The vertex at the mirror image of each: the mesh is symmetric to the last bit. */
function findMirrorVertices(p: Float32Array): Uint16Array {
  const nameOf = (x: number, i: number): string => `${x} ${p[3 * i + 1]} ${p[3 * i + 2]}`;
  const vertexAt = new Map<string, number>();
  for (let i = 0; i < VERTEX_COUNT; i++) vertexAt.set(nameOf(p[3 * i]!, i), i);
  return Uint16Array.from({ length: VERTEX_COUNT }, (_, i) => {
    const mirrored = vertexAt.get(nameOf(-p[3 * i]!, i));
    if (mirrored === undefined) throw new FacewrightError('FW_NETWORK_CORRUPT', { name: 'canonical-mesh', reason: 'it is not symmetric' });
    return mirrored;
  });
}

const VERTEX_COUNT = 468;
const TRIANGLE_COUNT = 898;
/** x y z u v */
const VERTEX_FLOATS = 5;
const FIELD = { metadataMesh: 1, metadataBasis: 2, meshVertices: 3, meshIndices: 4, basisLandmark: 1, basisWeight: 2 } as const;

/** One protobuf field: a number (wire type 0), or where its bytes lie (all other wire types). */
interface WireValue {
  readonly varint: number;
  readonly start: number;
  readonly end: number;
}

function forEachField(view: DataView, start: number, end: number, visit: (field: number, value: WireValue) => void): void {
  for (let at = start; at < end; ) {
    const key = readVarint(view, at);
    const wireType = key.value & 7;
    at = key.next;
    let value: WireValue;
    if (wireType === 0) {
      const number = readVarint(view, at);
      value = { varint: number.value, start: at, end: number.next };
    } else if (wireType === 2) {
      const length = readVarint(view, at);
      value = { varint: 0, start: length.next, end: length.next + length.value };
    } else if (wireType === 5 || wireType === 1) {
      value = { varint: 0, start: at, end: at + (wireType === 5 ? 4 : 8) };
    } else {
      throw new FacewrightError('FW_NETWORK_CORRUPT', { name: 'canonical-mesh', reason: `wire type ${wireType}` });
    }
    visit(key.value >>> 3, value);
    at = value.end;
  }
}

/** Packed (one run of bytes) and single values alike. */
function appendFloats(view: DataView, { start, end }: WireValue, out: number[]): void {
  for (let at = start; at < end; at += 4) out.push(view.getFloat32(at, true));
}

function appendVarints(view: DataView, { start, end }: WireValue, out: number[]): void {
  for (let at = start; at < end; ) {
    // Vertex numbers: one byte or two, without the object that readVarint makes.
    const byte = view.getUint8(at);
    const next = byte < 128 ? 0 : view.getUint8(at + 1);
    if (next < 128) {
      out.push((byte & 127) + 128 * next);
      at += byte < 128 ? 1 : 2;
      continue;
    }
    const number = readVarint(view, at);
    out.push(number.value);
    at = number.next;
  }
}

function readVarint(view: DataView, start: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at++) {
    const byte = view.getUint8(at);
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next: at + 1 };
    scale *= 128;
  }
}
