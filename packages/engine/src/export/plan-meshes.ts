import { FacewrightError } from '@facewright/protocol';
import type { FaceModel, PartMaterial } from '../models/face-model.ts';

/** Triangles of one surface, with a vertex for every pair of model vertex and UV that they use. */
export interface PrimitivePlan {
  /** Index of the surface (material) it is drawn with. */
  readonly surface: number;
  /** Shape (N): model vertex of each vertex. */
  readonly modelVertex: Uint32Array;
  /** Shape (N): model UV of each vertex. */
  readonly modelUv: Uint32Array;
  /** Shape (M,3): vertices of each triangle, counter-clockwise seen from outside. */
  readonly indices: Uint32Array;
}

/** What becomes one node with one mesh. */
export interface MeshPlan {
  readonly name: 'head' | 'eyeLeft' | 'eyeRight';
  readonly primitives: readonly PrimitivePlan[];
  /** Model vertices of the white of the eye: its pivot is the centre of the sphere through them. Null: the pivot is the model's origin. */
  readonly pivotVertices: Uint32Array | null;
}

/**
 * Divides the triangles of a model into nodes (head, left eye, right eye) and primitives (one per surface).
 *
 * The eyes are nodes of their own so that an engine can turn them about their centres; left is the person's. Everything
 * else, teeth and lashes too, is one mesh: one set of morph weights drives it. Vertices are split only where UVs or
 * surfaces differ; their order is that of the model. Triangles with two equal corners are left out.
 *
 * @param surfaceOfMaterial - index of the surface that each part material is drawn with
 * @throws FW_INTERNAL for a part whose material has no surface
 */
export function planMeshes(model: FaceModel, surfaceOfMaterial: ReadonlyMap<PartMaterial, number>): MeshPlan[] {
  const trianglesBySurface = {
    head: new Map<number, number[]>(),
    eyeLeft: new Map<number, number[]>(),
    eyeRight: new Map<number, number[]>(),
  };
  const whites = { eyeLeft: new Set<number>(), eyeRight: new Set<number>() };
  const { triangles, neutral } = model;
  for (const part of model.parts) {
    const surface = surfaceOfMaterial.get(part.material);
    if (surface === undefined) throw new FacewrightError('FW_INTERNAL', { what: `no surface is made of ${part.material}` });
    const isEye = part.material === 'sclera' || part.material === 'iris';
    for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
      const a = triangles[3 * t]!;
      const b = triangles[3 * t + 1]!;
      const c = triangles[3 * t + 2]!;
      if (a === b || b === c || c === a) continue;
      // The model frame has x to the person's left.
      const node = !isEye ? 'head' : neutral[3 * a]! + neutral[3 * b]! + neutral[3 * c]! > 0 ? 'eyeLeft' : 'eyeRight';
      if (node !== 'head' && part.material === 'sclera') whites[node].add(a).add(b).add(c);
      const bySurface = trianglesBySurface[node];
      const list = bySurface.get(surface);
      if (list === undefined) bySurface.set(surface, [t]);
      else list.push(t);
    }
  }
  const plans: MeshPlan[] = [];
  for (const name of ['head', 'eyeLeft', 'eyeRight'] as const) {
    const bySurface = trianglesBySurface[name];
    if (bySurface.size === 0) continue;
    const primitives = [...bySurface.keys()].sort((p, q) => p - q).map((surface) => planPrimitive(model, surface, bySurface.get(surface)!));
    const pivot = name === 'head' || whites[name].size < 4 ? null : Uint32Array.from(whites[name]).sort();
    plans.push({ name, primitives, pivotVertices: pivot });
  }
  return plans;
}

function planPrimitive(model: FaceModel, surface: number, triangleList: readonly number[]): PrimitivePlan {
  const { triangles, triangleUvs, vertexCount } = model;
  const cornerCount = 3 * triangleList.length;
  // The UVs of each model vertex as a chain, ascending: there are one or two as a rule, more where several seams meet.
  const first = new Int32Array(vertexCount).fill(-1);
  const next = new Int32Array(cornerCount);
  const uvOf = new Uint32Array(cornerCount);
  const linkOfCorner = new Int32Array(cornerCount);
  let linkCount = 0;
  for (let k = 0, i = 0; k < triangleList.length; k++) {
    for (let c = 3 * triangleList[k]!, end = c + 3; c < end; c++, i++) {
      const vertex = triangles[c]!;
      const uv = triangleUvs[c]!;
      let before = -1;
      let link = first[vertex]!;
      while (link >= 0 && uvOf[link]! < uv) {
        before = link;
        link = next[link]!;
      }
      if (link < 0 || uvOf[link] !== uv) {
        uvOf[linkCount] = uv;
        next[linkCount] = link;
        link = linkCount++;
        if (before < 0) first[vertex] = link;
        else next[before] = link;
      }
      linkOfCorner[i] = link;
    }
  }
  const modelVertex = new Uint32Array(linkCount);
  const modelUv = new Uint32Array(linkCount);
  const vertexOfLink = new Uint32Array(linkCount);
  for (let v = 0, n = 0; v < vertexCount; v++) {
    for (let link = first[v]!; link >= 0; link = next[link]!) {
      modelVertex[n] = v;
      modelUv[n] = uvOf[link]!;
      vertexOfLink[link] = n++;
    }
  }
  const indices = new Uint32Array(cornerCount);
  for (let i = 0; i < cornerCount; i++) indices[i] = vertexOfLink[linkOfCorner[i]!]!;
  return { surface, modelVertex, modelUv, indices };
}
