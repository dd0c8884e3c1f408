import { headModelPath } from '@facewright/head-model';
import { FacewrightError } from '@facewright/protocol';
import type { FaceModel } from './face-model.ts';
import { type LoadFaceModelOptions, loadFaceModel } from './load-face-model.ts';

/** One thing that must hold of a model. */
export interface ModelCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
}

/**
 * Loads a model (which checks format and checksum of its file) and looks through all of it.
 *
 * @returns the checks, all of them passed
 * @throws FW_MODEL_UNKNOWN, FW_MODEL_VERSION, FW_MODEL_CORRUPT (also when a check fails)
 */
export async function verifyFaceModel(id: string, options: LoadFaceModelOptions = {}): Promise<readonly ModelCheck[]> {
  const model = await loadFaceModel(id, options);
  const checks = checkFaceModel(model);
  const failed = checks.find((c) => !c.ok);
  if (failed) {
    throw new FacewrightError('FW_MODEL_CORRUPT', { path: options.path ?? headModelPath(), reason: `${failed.name}: ${failed.detail}` });
  }
  return checks;
}

/** What must hold of every face model (contract: face-model.ts). */
export function checkFaceModel(model: FaceModel): ModelCheck[] {
  const { vertexCount: V, triangles, uvs, triangleUvs, parts, mirrorVertex, landmarks, identityCount, expressionNames } = model;
  const checks: ModelCheck[] = [];
  const check = (name: string, ok: boolean, detail: string): void => {
    checks.push({ name, ok, detail });
  };
  const finite = (values: ArrayLike<number>): boolean => {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
    return true;
  };
  const below = (values: ArrayLike<number>, limit: number): boolean => {
    for (let i = 0; i < values.length; i++) if (!(values[i]! < limit)) return false;
    return true;
  };

  check('neutral', model.neutral.length === 3 * V && finite(model.neutral), `${V} vertices`);
  check('triangles', triangles.length % 3 === 0 && below(triangles, V), `${triangles.length / 3} triangles`);
  check('uvs', finite(uvs) && uvs.every((x) => x >= 0 && x <= 1), `${uvs.length / 2} in 0..1`);
  check('triangleUvs', triangleUvs.length === triangles.length && below(triangleUvs, uvs.length / 2), 'one per corner');
  const end = parts.reduce((at, p) => (p.firstTriangle === at ? at + p.triangleCount : Number.NaN), 0);
  check('parts', end === triangles.length / 3, `${parts.length} parts, one after the other, cover all triangles`);
  check('mirrorVertex', mirrorVertex.length === V && mirrorVertex.every((m, v) => mirrorVertex[m] === v), 'there and back again');
  let asymmetry = 0;
  for (let v = 0; v < V; v++) {
    const m = mirrorVertex[v]!;
    for (let d = 0; d < 3; d++) {
      asymmetry = Math.max(asymmetry, Math.abs(model.neutral[3 * m + d]! - (d === 0 ? -1 : 1) * model.neutral[3 * v + d]!));
    }
  }
  check('symmetry', asymmetry < MAX_ASYMMETRY_MM, `the mean head differs from its mirror image by ${asymmetry.toFixed(3)} mm at most`);
  check(
    'regions',
    Object.values(model.regions).every((w) => w.length === V && w.every((x) => x >= 0 && x <= 1)),
    Object.keys(model.regions).join(', '),
  );

  const one = model.evaluate(new Float64Array(identityCount).fill(1), []);
  check('identity', identityCount > 0 && finite(one), `${identityCount} modes`);
  const deltas = expressionNames.map((_, e) => model.expressionDelta(e));
  check(
    'expressions',
    new Set(expressionNames).size === expressionNames.length && deltas.every((d) => finite(d) && d.some((x) => x !== 0)),
    `${expressionNames.length} shapes, none empty`,
  );
  const names = model.blendshapes.map((b) => b.name);
  check(
    'blendshapes',
    new Set(names).size === names.length && model.blendshapes.every((b) => b.terms.every((t) => t.expression < expressionNames.length)),
    `${names.length} names`,
  );

  const L = landmarks.count;
  const weights = Array.from({ length: L }, (_, l) => landmarks.barycentric.subarray(3 * l, 3 * l + 3));
  check(
    'landmarks',
    below(landmarks.triangle, triangles.length / 3) &&
      weights.every((w) => Math.abs(w[0]! + w[1]! + w[2]! - 1) < 1e-5) &&
      landmarks.mirror.every((m, l) => landmarks.mirror[m] === l) &&
      finite(landmarks.identity) &&
      finite(landmarks.expression),
    `${L} places on the surface`,
  );
  check(
    'landmark basis',
    landmarks.identity.length === 3 * L * identityCount && landmarks.expression.length === 3 * L * expressionNames.length,
    'modes and shapes at each',
  );
  return checks;
}

/** Upstream's neutral head is symmetric but for a few vertices of gums, lids and nostrils, 0.29 mm at most. */
const MAX_ASYMMETRY_MM = 0.35;
