/**
 * Likeness against scans: renders each head from the front and turned 22 degrees, reconstructs it from the picture alone, and measures the
 * distance of the scan from the result.
 *
 *   npm run bench:fidelity                      the heads in $FACEWRIGHT_SHARED/scans/VALID (default ../shared)
 *   npm run bench:fidelity -- <folder>          heads/*.obj with their colour pictures (or *.obj in the folder itself), millimetres
 *   npm run bench:fidelity -- --points 2000     quicker
 *   npm run bench:fidelity -- --out report.json the same as JSON (default bench-output/fidelity.json; - for none)
 *
 * Protocol: 75 mm round the tip of the nose, what the front hides left out, 12 000 points uniform in area, similarity ICP (60 rounds, a tenth
 * trimmed), distance of every point to the surface. Camera: 1024 px, focal length 2500 px, 0.9 m, of which the engine is told nothing. What is
 * scored is the neutral face (the scans are neutral); the face with the photo's expression stands beside it. Deterministic.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseIntrinsics } from '../packages/engine/src/camera/choose-intrinsics.ts';
import { fitFace } from '../packages/engine/src/fit/fit-face.ts';
import type { FaceModel } from '../packages/engine/src/models/face-model.ts';
import { FACE_MODEL_IDS, loadFaceModel } from '../packages/engine/src/models/load-face-model.ts';
import { loadFaceNetworks } from '../packages/engine/src/nets/load-face-networks.ts';
import { readCanonicalMesh } from '../packages/engine/src/nets/read-canonical-mesh.ts';
import { describeMachine } from './describe-machine.ts';
import { readScan } from './fidelity/read-scan.ts';
import { renderScan, SIDE_PX } from './fidelity/render-scan.ts';
import { findNoseTip, sampleFace } from './fidelity/sample-face.ts';
import { alignByPoints, type Score, scoreMesh } from './fidelity/score-mesh.ts';

const VIEWS_DEG = [0, 22] as const;
const SEED = 1;
/** Parts that the scan can be compared with; hair cards, tear film and the inside of the mouth are not a surface of the head. */
const SURFACE = new Set(['skin', 'scalp', 'sclera', 'iris']);

interface Row {
  readonly head: string;
  readonly method: string;
  readonly yawDeg: number | null;
  readonly medianMm: number;
  readonly meanMm: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { points: { type: 'string', default: '12000' }, out: { type: 'string', default: 'bench-output/fidelity.json' } },
});
const shared = process.env.FACEWRIGHT_SHARED ?? resolve(import.meta.dirname, '../../shared');
const folder = positionals[0] ?? join(shared, 'scans/VALID');
const heads = listHeads(folder);
if (heads.length === 0) {
  process.stderr.write(`No *.obj in ${folder} or its folder heads: nothing to measure.\n`);
  process.exit(66);
}

const networks = await loadFaceNetworks({});
const canonical = await readCanonicalMesh();
const models: { model: FaceModel; triangles: Uint32Array }[] = [];
for (const id of FACE_MODEL_IDS) {
  const model = await loadFaceModel(id);
  models.push({ model, triangles: surfaceTriangles(model) });
}
process.stdout.write(`${describeMachine()}\n${heads.length} heads in ${folder}, ${values.points} points each\n`);

const rows: Row[] = [];
const start = performance.now();
for (const path of heads) {
  const scan = await readScan(path);
  const points = sampleFace(scan, Number(values.points), SEED, findNoseTip(scan));
  const add = (method: string, yawDeg: number | null, score: Score): void => {
    rows.push({ head: scan.name, method, yawDeg, ...score });
  };
  for (const { model, triangles } of models) add(`mean face, ${model.id}`, null, scoreMesh(points, model.neutral, triangles));
  for (const yawDeg of VIEWS_DEG) {
    const picture = renderScan(scan, yawDeg);
    const detection = (await networks.detectFaces(picture))[0];
    if (!detection) {
      process.stdout.write(`${scan.name} at ${yawDeg} degrees: no face found\n`);
      continue;
    }
    const landmarks = await networks.findLandmarks(picture, detection);
    const intrinsics = chooseIntrinsics({ width: SIDE_PX, height: SIDE_PX, landmarks });
    add('landmarks as they are', yawDeg, scoreLandmarks(points, landmarks.points, models[0].model));
    for (const { model, triangles } of models) {
      const face = fitFace({ model, landmarks, intrinsics });
      add(model.id, yawDeg, scoreMesh(points, face.neutralPositions, triangles));
      add(`${model.id}, with expression`, yawDeg, scoreMesh(points, face.positions, triangles));
    }
  }
}
await networks.close();

const methods = [...new Set(rows.map((r) => r.method))];
const summary = methods.map((method) => ({
  method,
  front: averageOf(method, 0),
  side: averageOf(method, 22),
  all: averageOf(method, 'all'),
}));
printTables();
process.stdout.write(`\n${((performance.now() - start) / 1000).toFixed(0)} s\n`);
if (values.out !== '-') {
  const report = { machine: describeMachine(), folder, points: Number(values.points), unit: 'mm', summary, rows };
  await mkdir(dirname(values.out), { recursive: true });
  await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
}

function listHeads(root: string): string[] {
  for (const at of [join(root, 'heads'), root]) {
    if (!existsSync(at)) continue;
    const found = readdirSync(at).filter((name) => name.toLowerCase().endsWith('.obj'));
    if (found.length > 0) return found.sort().map((name) => join(at, name));
  }
  return [];
}

function surfaceTriangles(model: FaceModel): Uint32Array {
  const out: number[] = [];
  for (const part of model.parts) {
    if (!SURFACE.has(part.material)) continue;
    for (const v of model.triangles.subarray(3 * part.firstTriangle, 3 * (part.firstTriangle + part.triangleCount))) out.push(v);
  }
  return Uint32Array.from(out);
}

/** The landmarks themselves as a mesh, depth as the network gives it. */
function scoreLandmarks(points: Float64Array, landmarks: Float64Array, model: FaceModel): Score {
  const raw = landmarks.slice(0, 3 * canonical.vertexCount);
  for (let i = 0; i < raw.length; i += 3) {
    raw[i + 1] = -raw[i + 1];
    raw[i + 2] = -raw[i + 2];
  }
  const { landmark, mean, count } = model.landmarks;
  const source: number[] = [];
  const target: number[] = [];
  for (let l = 0; l < count; l++) {
    if (landmark[l] >= canonical.vertexCount) continue;
    source.push(...raw.subarray(3 * landmark[l], 3 * landmark[l] + 3));
    target.push(...mean.subarray(3 * l, 3 * l + 3));
  }
  return scoreMesh(points, raw, canonical.triangles, alignByPoints(Float64Array.from(source), Float64Array.from(target)));
}

/** Mean over heads of median and mean distance; a method without a view counts in both. */
function averageOf(method: string, view: 0 | 22 | 'all'): Score | null {
  const list = rows.filter((r) => r.method === method && (view === 'all' || r.yawDeg === null || r.yawDeg === view));
  if (list.length === 0) return null;
  const mean = (get: (r: Row) => number): number => list.reduce((sum, r) => sum + get(r), 0) / list.length;
  return { medianMm: mean((r) => r.medianMm), meanMm: mean((r) => r.meanMm) };
}

function printTables(): void {
  const cell = (s: Score | null): string => (s === null ? '-' : `${s.medianMm.toFixed(3)} / ${s.meanMm.toFixed(3)}`).padStart(16);
  const line = (name: string, cells: readonly (Score | null)[]): string => `${name.padEnd(28)}${cells.map(cell).join('')}\n`;
  process.stdout.write(
    `\nmm, median / mean over the scan's points, averaged over heads\n${''.padEnd(28)}${['front', '22 degrees', 'both'].map((h) => h.padStart(16)).join('')}\n`,
  );
  for (const s of summary) process.stdout.write(line(s.method, [s.front, s.side, s.all]));
  for (const yawDeg of VIEWS_DEG) {
    const columns = methods.filter((m) => !m.endsWith('expression'));
    process.stdout.write(
      `\neach head, ${yawDeg === 0 ? 'front' : `${yawDeg} degrees`}\n${''.padEnd(28)}${columns.map((m) => m.slice(0, 22).padStart(24)).join('')}\n`,
    );
    for (const head of new Set(rows.map((r) => r.head))) {
      const cells = columns.map(
        (m) => rows.find((r) => r.head === head && r.method === m && (r.yawDeg === null || r.yawDeg === yawDeg)) ?? null,
      );
      process.stdout.write(`${head.padEnd(28)}${cells.map((c) => cell(c).padStart(24)).join('')}\n`);
    }
  }
}
