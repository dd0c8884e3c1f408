import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceModel, ModelPart } from '../models/face-model.ts';
import { computeVertexNormals } from '../render/compute-vertex-normals.ts';
import type { FaceMaps, SurfaceMaterial } from '../texture/face-maps.ts';
import { checkFaceFinite } from './check-face-finite.ts';
import { createDecimalWriter } from './decimal-writer.ts';
import { nameTextures } from './name-textures.ts';
import type { OutputFile } from './output-file.ts';

/** What an OBJ is made of. A `Reconstruction` has all of it. */
export interface ObjInput {
  readonly face: FittedFace;
  readonly maps: FaceMaps;
}

export interface ObjOptions {
  /** `neutral`: relaxed, as the base of the GLB; `photo`: with the expression of the photo. @default 'neutral' */
  readonly expression?: 'neutral' | 'photo';
  /** Version of the program, for the header. */
  readonly version: string;
}

/** Writes OBJ files of faces of one model; faces and UVs are the same for every person and kept as text. */
export interface ObjEncoder {
  /**
   * Writes `face.obj` and `face.mtl`. The pictures that the MTL names come from `encodeMaps`.
   *
   * Metres, y up, z out of the face, origin between the eyes: the frame of the GLB, so that both lie on one another in Blender or
   * Unity. One vertex per model vertex in the model's order, so that tools made for the model's topology work; quads where the model
   * has quads; a group per part. `vt` has v up, as OBJ wants it.
   *
   * @throws FW_FIT_FAILED for a number that is not finite
   */
  encode(input: ObjInput, options: ObjOptions): OutputFile[];
}

/** An encoder for a model. */
export function createObjEncoder(model: FaceModel): ObjEncoder {
  let texcoords: Uint8Array | null = null;
  let faces: { readonly key: string; readonly bytes: Uint8Array } | null = null;
  return {
    encode({ face, maps }, options) {
      if (face.model !== model) {
        throw new FacewrightError('FW_ARG_INVALID', {
          name: 'face.model',
          expected: `the model of the encoder (${model.id})`,
          actual: face.model.id,
        });
      }
      checkFaceFinite(face);
      texcoords ??= formatTexcoords(model);
      const key = maps.surfaces.map((s) => `${s.name}:${s.materials.join('+')}`).join('|');
      if (faces?.key !== key) faces = { key, bytes: formatFaces(model, maps.surfaces) };
      const isNeutral = (options.expression ?? 'neutral') === 'neutral';
      const head = formatVertices(model, isNeutral ? face.neutralPositions : face.positions, [
        `# facewright ${options.version}: a face reconstructed from one photo (${isNeutral ? 'neutral' : 'expression of the photo'})`,
        `# model ${model.id} ${model.version}, licence ${model.licence.spdx}, ${model.licence.source}`,
        '# units: metres; x to the person’s left, y up, z out of the face; origin between the eyes',
      ]);
      const obj = new Uint8Array(head.length + texcoords.length + faces.bytes.length);
      obj.set(head);
      obj.set(texcoords, head.length);
      obj.set(faces.bytes, head.length + texcoords.length);
      return [
        { name: 'face.obj', bytes: obj },
        { name: 'face.mtl', bytes: formatMaterials(maps, options.version) },
      ];
    },
  };
}

function formatVertices(model: FaceModel, positionsMm: Float32Array, comments: readonly string[]): Uint8Array {
  const out = createDecimalWriter(80 * model.vertexCount);
  out.text(`${comments.join('\n')}\nmtllib face.mtl\no face\n`);
  for (let i = 0; i < positionsMm.length; i += 3) {
    out.text('v');
    // Micrometres: a hundredth of what the fit resolves.
    for (let k = i; k < i + 3; k++) out.decimal(positionsMm[k]! / 1000, 6);
    out.text('\n');
  }
  const normals = computeVertexNormals(positionsMm, model.triangles);
  for (let i = 0; i < normals.length; i += 3) {
    out.text('vn');
    for (let k = i; k < i + 3; k++) out.decimal(normals[k]!, 4);
    out.text('\n');
  }
  return out.bytes();
}

function formatTexcoords(model: FaceModel): Uint8Array {
  const out = createDecimalWriter(20 * model.uvs.length);
  for (let i = 0; i < model.uvs.length; i += 2) {
    out.text('vt');
    out.decimal(model.uvs[i]!, 6);
    out.decimal(1 - model.uvs[i + 1]!, 6);
    out.text('\n');
  }
  return out.bytes();
}

function formatFaces(model: FaceModel, surfaces: readonly SurfaceMaterial[]): Uint8Array {
  const lines: string[] = [];
  let material = '';
  for (const part of model.parts) {
    const surface = surfaces.find((s) => s.materials.includes(part.material));
    lines.push(`g ${part.name}`);
    if (surface !== undefined && surface.name !== material) lines.push(`usemtl ${surface.name}`);
    if (surface !== undefined) material = surface.name;
    // One smoothing group: the normals are shared across the parts.
    lines.push('s 1');
    const { vertices, uvs, size, first, count } = polygonsOf(model, part);
    for (let p = first; p < first + count; p++) {
      let line = 'f';
      for (let c = size * p; c < size * (p + 1) && vertices[c] !== NO_CORNER; c++) {
        const v = vertices[c]! + 1;
        line += ` ${v}/${uvs[c]! + 1}/${v}`;
      }
      lines.push(line);
    }
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** Last corner of a polygon of the model's table that is a triangle. */
const NO_CORNER = 0xffffffff;

/** The polygons of a part: the model's quads where it has them, else its triangles. */
function polygonsOf(model: FaceModel, part: ModelPart) {
  if (model.polygons !== undefined && part.firstPolygon !== undefined && part.polygonCount !== undefined) {
    return { ...model.polygons, size: 4, first: part.firstPolygon, count: part.polygonCount };
  }
  return { vertices: model.triangles, uvs: model.triangleUvs, size: 3, first: part.firstTriangle, count: part.triangleCount };
}

/** Plain MTL (Kd, map_Kd, d) with the roughness of the PBR extension (Pr, Pm), which Blender and Unity read. */
function formatMaterials(maps: FaceMaps, version: string): Uint8Array {
  const names = nameTextures(maps);
  const lines = [`# facewright ${version}`];
  for (const surface of maps.surfaces) {
    const [r, g, b, a] = surface.baseColor;
    const picture = surface.albedo === null ? undefined : names.get(surface.albedo);
    const hasAlpha = surface.alphaMode !== 'OPAQUE' && surface.albedo?.channels === 4;
    lines.push(
      '',
      `newmtl ${surface.name}`,
      `Kd ${r} ${g} ${b}`,
      'Ks 0.04 0.04 0.04',
      // Exponent of Blinn-Phong that looks like this roughness: 2 / r^4 - 2.
      `Ns ${Math.round(Math.min(1000, Math.max(0, 2 / surface.roughness ** 4 - 2)))}`,
      `Pr ${surface.roughness}`,
      'Pm 0',
      `d ${surface.alphaMode === 'OPAQUE' ? 1 : a}`,
      'illum 2',
    );
    if (picture !== undefined) lines.push(`map_Kd ${picture}`);
    if (picture !== undefined && hasAlpha) lines.push(`map_d ${picture}`);
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}
