import { triangulate } from '../src/triangulate.ts';
import { at, createSurfaceSearch, type SurfacePoint, type Vec3 } from './closest-point.ts';
import { type CanonicalMesh, fitCanonicalMesh } from './fit-canonical-mesh.ts';
import { fitSphere } from './fit-sphere.ts';
import { findPart, type PartRange } from './head-parts.ts';
import { findAnchors } from './landmark-anchors.ts';

/** A place on the surface for each landmark of the network. */
export interface LandmarkTable {
  readonly landmark: Uint16Array;
  readonly triangle: Uint32Array;
  readonly barycentric: Float32Array;
  readonly mirror: Uint16Array;
  readonly confidence: Float32Array;
}

/** Radius of the visible iris, millimetres (horizontal diameter 11.7: Rüfer, Schröder, Erb, Cornea 24, 2005). */
const IRIS_RADIUS_MM = 5.85;
/** Landmark of the centre of each iris; the next four are at 0, 90, 180 and 270 degrees: picture right, top, left, bottom. */
const IRIS_CENTRE = { irisRight: 468, irisLeft: 473 } as const;
const RING_MIRROR = [0, 3, 2, 1, 4];

/**
 * Where the network's 478 landmarks lie on the head: the canonical mesh, to which the first 468 belong, is laid onto the face;
 * the iris points lie on the outer eyeball around the axis of gaze.
 *
 * Confidence tells how sure the place is on this head: 1, less where the laid-on mesh stays off the surface (outline, nostrils).
 * How exactly the network finds a landmark is another matter.
 *
 * @param positions - shape (V,3), millimetres
 */
export function registerLandmarks(positions: Float64Array, polygons: Uint32Array, canonical: CanonicalMesh): LandmarkTable {
  const facePolygons = findPart('face').polygons[1];
  const triangles = triangulate(polygons, 0, facePolygons);
  const anchors = findAnchors(positions, polygons, facePolygons, canonical.positionsCm);
  const laid = fitCanonicalMesh(canonical, anchors, { positions, triangles });
  const anchored = new Map(anchors.map((a) => [a.landmark, a.point]));
  const search = createSurfaceSearch(positions, triangles);
  const mirror = mirrorOf(canonical.positionsCm);
  const found: SurfacePoint[] = [];
  for (let l = 0; l < mirror.length; l++) {
    const target = anchored.get(l) ?? at(laid, l);
    const other = anchored.get(mirror[l]!) ?? at(laid, mirror[l]!);
    // Both sides get the same place: what differs is rounding, and quads that are cut along the other diagonal.
    found.push(search.nearest([(target[0] - other[0]) / 2, (target[1] + other[1]) / 2, (target[2] + other[2]) / 2]));
  }
  const confidence = found.map(({ distance }, l) => (anchored.has(l) ? 1 : 1 / (1 + (distance / UNSURE_MM) ** 2)));
  const mirrors = [...mirror];
  for (const name of ['irisRight', 'irisLeft'] as const) {
    const other = IRIS_CENTRE[name === 'irisRight' ? 'irisLeft' : 'irisRight'];
    findIrisPoints(positions, polygons, findPart(name.replace('iris', 'sclera'))).forEach((point, k) => {
      found.push(point);
      confidence.push(1);
      mirrors.push(other + RING_MIRROR[k]!);
    });
  }
  return {
    landmark: Uint16Array.from(found, (_, l) => l),
    triangle: Uint32Array.from(found, (f) => f.triangle),
    barycentric: Float32Array.from(found.flatMap((f) => f.barycentric)),
    mirror: Uint16Array.from(mirrors),
    confidence: Float32Array.from(confidence),
  };
}

/** A laid-on vertex this far off the surface is trusted by half, millimetres. */
const UNSURE_MM = 2;

/** Centre of the iris and four points of its edge, on the outer surface of an eyeball. */
function findIrisPoints(positions: Float64Array, polygons: Uint32Array, sclera: PartRange): SurfacePoint[] {
  const center = fitSphere(positions, sclera.vertices);
  const before = triangulate(polygons, 0, sclera.polygons[0]).length / 3;
  const triangles = triangulate(polygons, sclera.polygons[0], sclera.polygons[1] - sclera.polygons[0]);
  return [
    [0, 0],
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ].map(([dx, dy]) => {
    const x = center[0] + IRIS_RADIUS_MM * dx!;
    const y = center[1] + IRIS_RADIUS_MM * dy!;
    const hit = pierce(positions, triangles, x, y);
    return { ...hit, triangle: hit.triangle + before };
  });
}

/** Frontmost point of a mesh at (x, y). */
function pierce(positions: Float64Array, triangles: Uint32Array, x: number, y: number): SurfacePoint {
  let best: SurfacePoint | null = null;
  for (let t = 0; t < triangles.length / 3; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => at(positions, triangles[3 * t + k]!)) as [Vec3, Vec3, Vec3];
    const area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
    if (area <= 0) continue;
    const w1 = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area;
    const w2 = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area;
    const w0 = 1 - w1 - w2;
    if (w0 < -1e-9 || w1 < -1e-9 || w2 < -1e-9) continue;
    const z = w0 * a[2] + w1 * b[2] + w2 * c[2];
    if (!best || z > best.point[2]) best = { triangle: t, barycentric: [w0, w1, w2], point: [x, y, z], distance: 0 };
  }
  if (!best) throw new Error('the axis of gaze misses the eyeball');
  return best;
}

/** Partner of each canonical vertex on the other side. */
function mirrorOf(positions: Float32Array): Uint16Array {
  const count = positions.length / 3;
  const mirror = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    let best = Number.POSITIVE_INFINITY;
    for (let j = 0; j < count; j++) {
      const d = Math.hypot(
        positions[3 * i]! + positions[3 * j]!,
        positions[3 * i + 1]! - positions[3 * j + 1]!,
        positions[3 * i + 2]! - positions[3 * j + 2]!,
      );
      if (d < best) {
        best = d;
        mirror[i] = j;
      }
    }
  }
  return mirror;
}
