import { loadTables } from '../cache/load-tables.ts';
import type { FaceModel, PartMaterial } from '../models/face-model.ts';
import { listSurfaceMaterials } from '../texture/surface-order.ts';
import { layoutPlainGlb, type PlainLayout } from './layout-plain-glb.ts';
import { type MeshPlan, planMeshes } from './plan-meshes.ts';

/** What uncompressed GLB files of one model have in common: numbers, words and arrays only, so that it can be kept in a file. */
export interface GlbTables {
  /** How materials are grouped into surfaces, see {@link nameGrouping}. */
  readonly grouping: string;
  readonly plans: readonly MeshPlan[];
  /** With morph targets. */
  readonly plain: PlainLayout;
}

/** Raise it with every change of what {@link loadGlbTables} returns (a test compares with what the version had). */
export const GLB_TABLES_VERSION = 1;

type Grouped = readonly { readonly materials: readonly PartMaterial[] }[];

/** A word for how surfaces group the materials of parts: the same for all faces of a model. */
export const nameGrouping = (surfaces: Grouped): string => surfaces.map(({ materials }) => materials.join('+')).join('|');

/** Index of the surface of each material. */
export function mapMaterials(surfaces: Grouped): Map<PartMaterial, number> {
  return new Map(surfaces.flatMap(({ materials }, s) => materials.map((material): [PartMaterial, number] => [material, s])));
}

/**
 * The GLB tables of a model, from the cache folder when they are there.
 *
 * @param modelHash - see identifyModel
 * @param cacheDir - null: nothing is kept
 */
export function loadGlbTables(model: FaceModel, modelHash: string, cacheDir: string | null): Promise<GlbTables> {
  const key = { thing: 'glb', hash: modelHash, version: GLB_TABLES_VERSION, kind: 'plain' };
  return loadTables(cacheDir, key, () => computeGlbTables(model));
}

export function computeGlbTables(model: FaceModel): GlbTables {
  const surfaces = listSurfaceMaterials(model).map((material) => ({ materials: [material] }));
  const plans = planMeshes(model, mapMaterials(surfaces));
  return { grouping: nameGrouping(surfaces), plans, plain: layoutPlainGlb(model, plans, true) };
}
