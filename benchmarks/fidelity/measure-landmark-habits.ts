/**
 * Measures the habits of the landmark network (docs/decisions/network-mean.md) from what it reports of rendered heads, and writes
 * packages/head-model/model/landmark-habits.bin.
 *
 *   npx tsx --conditions=@facewright/source benchmarks/fidelity/measure-landmark-habits.ts <samples>…
 *
 * `samples` are files of measure-landmark-samples.ts. Regression of (reported - true), in the frame of a similarity that lays the report over the mean face,
 * on the view direction, the kind of picture, identity and expression, with each sample's mirror image beside it. Half a minute for 12 000 samples.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { landmarkHabitsPath } from '@facewright/head-model';
import { SHAPE_TRUST } from '../../packages/engine/src/fit/landmark-trust.ts';
import { estimateRobustSimilarity } from '../../packages/engine/src/fit/robust-similarity.ts';
import { computeViewTerms, EVEN_VIEW_TERMS, TURN_TERMS, VIEW_TERMS } from '../../packages/engine/src/fit/view-terms.ts';
import { factorCholesky, solveCholesky } from '../../packages/engine/src/math/cholesky.ts';
import { applySimilarity } from '../../packages/engine/src/math/similarity.ts';
import { loadFaceModel } from '../../packages/engine/src/models/load-face-model.ts';
import { mirrorExpressions } from '../../packages/engine/src/models/mirror-expressions.ts';
import { MAGIC, PREAMBLE_BYTES, VERSION } from '../../packages/engine/src/models/read-landmark-habits.ts';
import { readCanonicalMesh } from '../../packages/engine/src/nets/read-canonical-mesh.ts';
import { readSamples, type Sample } from './landmark-samples.ts';

/** Share of MediaPipe's canonical face in the constant part; the renders have the rest. */
const CANONICAL_SHARE = 0.5;
/** Share of the renders' dependence on the view that is kept: painted and photographed skins differ by more than the rest. */
const VIEW_SHARE = 0.75;
/** Painted portraits are fewer and better lit; together they weigh as much as the textured ones, but one at most so much. */
const MOST_PAINTED_WEIGHT = 6;
/** Ridge of identity and expression, samples: holds a coefficient of a shape that hardly occurs near zero. */
const IDENTITY_RIDGE = 30;
const EXPRESSION_RIDGE = 20;
/**
 * Expressions whose damping is undone. With the others (brows, pucker, raised upper lip, frown, sneer, ...) that finds more of them where there are none than where
 * there are some.
 */
const TRUSTED = /^(jaw|mouthSmile|mouthLeft|mouthRight|mouthClose|eyeBlink|eyeSquint|eyeWide|cheek)/;
/** Least share of an expression's motion that is taken to be reported: undoing more finds squints in narrow eyes. */
const LEAST_RESPONSE = 0.6;
/** The mean that the reports are laid over follows from the result: found in two rounds. */
const ROUNDS = 2;

const model = await loadFaceModel('head');
const { landmark, mean, mirror, count } = model.landmarks;
const width = 3 * count;
const K = model.identityCount;
const E = model.expressionNames.length;
const isMeasured = Uint8Array.from(landmark, (l) => (l < 468 ? 1 : 0));
const trust = Float64Array.from(landmark, (l, i) => SHAPE_TRUST[l] * model.landmarks.confidence[i]);
const mirrorExpression = mirrorExpressions(model.expressionNames);

const samples = process.argv.slice(2).flatMap((path) => readSamples(path, model));
const painted = samples.filter((s) => s.isPainted).length;
const paintedWeight = painted === 0 ? 1 : Math.min(MOST_PAINTED_WEIGHT, (samples.length - painted) / painted);
process.stderr.write(`${samples.length} samples, ${painted} of them painted (weight ${paintedWeight.toFixed(2)})\n`);

const canonical = await placeCanonical();
// Columns: view, kind of picture, identity, expression.
const columns = VIEW_TERMS + 1 + K + E;
let template = canonical;
let view: Float64Array[] = [];
let identity: Float64Array[] = [];
let expression: Float64Array[] = [];
let constant: Float64Array = new Float64Array(width);
for (let round = 0; round < ROUNDS; round++) {
  const normal = new Float64Array(columns * columns);
  const right = new Float64Array(columns * width);
  for (const sample of samples) {
    for (const isMirrored of [false, true]) addSample(sample, isMirrored, template, normal, right);
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) normal[j * columns + i] = normal[i * columns + j];
    normal[i * columns + i] += i <= VIEW_TERMS ? 0.01 : i <= VIEW_TERMS + K ? IDENTITY_RIDGE : EXPRESSION_RIDGE;
  }
  const solved = solveColumns(normal, right);
  view = Array.from({ length: VIEW_TERMS }, (_, k) =>
    withParity(solved.subarray(k * width, (k + 1) * width), k < EVEN_VIEW_TERMS ? 1 : -1),
  );
  identity = Array.from({ length: K }, (_, k) =>
    withParity(solved.subarray((VIEW_TERMS + 1 + k) * width, (VIEW_TERMS + 2 + k) * width), 1),
  );
  const fields = Array.from({ length: E }, (_, e) => solved.subarray((VIEW_TERMS + 1 + K + e) * width, (VIEW_TERMS + 2 + K + e) * width));
  expression = fields.map((field, e) => limitDamping(average(field, mirrorPoints(fields[mirrorExpression[e]])), e));
  const kind = solved.subarray(VIEW_TERMS * width, (VIEW_TERMS + 1) * width);
  constant = computeConstant(
    view[0],
    withParity(
      view[0].map((x, m) => x + kind[m] / 2),
      1,
    ),
  );
  template = mean.map((x, m) => x + constant[m]);
}
// What a turn of the head does to the landmarks, but for a lean, differs between painted skins, skins of photographs and scans by as much as it is: left
// out. A nod is made too small on all three.
view = view.map((row, k) => (TURN_TERMS.has(k) ? projectRigid(row).lean : row).map((x) => VIEW_SHARE * x));
view[0] = constant;
write(
  [...view, ...identity].map(onlyMeasured),
  expression.map((row, e) => (TRUSTED.test(model.expressionNames[e]) ? onlyMeasured(row) : new Float64Array(width))),
);

/** One sample's share of the normal equations. */
function addSample(sample: Sample, isMirrored: boolean, laidOver: Float64Array, normal: Float64Array, right: Float64Array): void {
  let { seen, truth, expression } = sample;
  if (isMirrored) {
    seen = mirrorPoints(seen);
    truth = mirrorPoints(truth);
    expression = expression.map((_, e) => sample.expression[mirrorExpression[e]]);
  }
  const similarity = estimateRobustSimilarity(seen, laidOver, trust);
  if (similarity === null) return;
  const reported = applySimilarity(similarity, seen);
  const true_ = applySimilarity(similarity, truth);
  const r = similarity.rotation;
  const row = Float64Array.of(...computeViewTerms(r[2], r[5]), sample.isPainted ? 0.5 : -0.5, ...sample.identity, ...expression);
  const weight = sample.isPainted ? paintedWeight : 1;
  for (let i = 0; i < columns; i++) {
    if (row[i] === 0) continue;
    const w = weight * row[i];
    for (let j = 0; j <= i; j++) normal[i * columns + j] += w * row[j];
    for (let m = 0, at = i * width; m < width; m++, at++) right[at] += w * (reported[m] - true_[m]);
  }
}

/** Solves for each coordinate; shape (columns, width). */
function solveColumns(normal: Float64Array, right: Float64Array): Float64Array {
  const factor = factorCholesky(normal, columns);
  if (factor === null) throw new Error('too few samples');
  const out = new Float64Array(columns * width);
  const b = new Float64Array(columns);
  for (let m = 0; m < width; m++) {
    for (let i = 0; i < columns; i++) b[i] = right[i * width + m];
    const x = solveCholesky(factor, columns, b);
    for (let i = 0; i < columns; i++) out[i * width + m] = x[i];
  }
  return out;
}

function mirrorPoints(points: Float64Array): Float64Array {
  return points.map((_, m) => (m % 3 === 0 ? -1 : 1) * points[3 * mirror[Math.floor(m / 3)] + (m % 3)]);
}

/** The part of a field that its mirror image repeats (1) or turns round (-1). */
function withParity(field: Float64Array, parity: 1 | -1): Float64Array {
  const mirrored = mirrorPoints(field);
  return field.map((x, m) => (x + parity * mirrored[m]) / 2);
}

/** The parts of a field that move the head as a whole: the lean (about the z axis) alone, and all of them with the growth; the rest changes the form. */
function projectRigid(field: Float64Array): { lean: Float64Array; rigid: Float64Array } {
  const rows = Array.from({ length: 7 }, () => new Float64Array(width));
  const center = [0, 0, 0];
  const sum = trust.reduce((a, b) => a + b, 0);
  for (let m = 0; m < width; m++) center[m % 3] += (trust[Math.floor(m / 3)] * mean[m]) / sum;
  for (let l = 0; l < count; l++) {
    const [x, y, z] = [0, 1, 2].map((k) => mean[3 * l + k] - center[k]);
    const motions = [
      [-y, x, 0],
      [0, -z, y],
      [z, 0, -x],
      [x, y, z],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    for (const [i, motion] of motions.entries()) rows[i].set(motion, 3 * l);
  }
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, x, m) => s + trust[Math.floor(m / 3)] * x * b[m], 0);
  const size = rows.length;
  const gram = Float64Array.from({ length: size * size }, (_, i) => dot(rows[Math.floor(i / size)], rows[i % size]));
  const c = solveCholesky(
    factorCholesky(gram, size)!,
    size,
    Float64Array.from(rows, (row) => dot(row, field)),
  );
  return { lean: rows[0].map((x) => c[0] * x), rigid: field.map((_, m) => rows.reduce((s, row, i) => s + c[i] * row[m], 0)) };
}

/**
 * Offset of the mean face from the front: its form from both answers, its place and tilt from the painted renders. (The canonical face says nothing of
 * them; skins of photographs are read 3 degrees lower than painted ones.)
 */
function computeConstant(measured: Float64Array, painted: Float64Array): Float64Array {
  const form = projectRigid(measured).rigid;
  const { rigid } = projectRigid(painted);
  return measured.map((x, m) =>
    isMeasured[Math.floor(m / 3)] ? CANONICAL_SHARE * (canonical[m] - mean[m]) + (1 - CANONICAL_SHARE) * (x - form[m]) + rigid[m] : 0,
  );
}

/** MediaPipe's own mean face over the model's landmarks, mirror-symmetric. */
async function placeCanonical(): Promise<Float64Array> {
  const mesh = await readCanonicalMesh();
  const source = mean.slice();
  for (let l = 0; l < count; l++) {
    if (isMeasured[l]) for (let k = 0; k < 3; k++) source[3 * l + k] = 10 * mesh.positionsCm[3 * landmark[l] + k];
  }
  const weights = trust.map((t, l) => (isMeasured[l] ? t : 0));
  const placed = applySimilarity(estimateRobustSimilarity(source, mean, weights)!, source);
  return withParity(
    placed.map((x, m) => (isMeasured[Math.floor(m / 3)] ? x : mean[m])),
    1,
  );
}

function average(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, m) => (x + b[m]) / 2);
}

function onlyMeasured(row: Float64Array): Float64Array {
  return row.map((x, m) => (isMeasured[Math.floor(m / 3)] ? x : 0));
}

/** Shrinks the habit of an expression so that at least {@link LEAST_RESPONSE} of its motion is left. */
function limitDamping(habit: Float64Array, e: number): Float64Array {
  const motion = model.landmarks.expression.subarray(e * width, (e + 1) * width);
  let along = 0;
  let squares = 0;
  for (let m = 0; m < width; m++) {
    if (!isMeasured[Math.floor(m / 3)]) continue;
    along += habit[m] * motion[m];
    squares += motion[m] * motion[m];
  }
  const damping = squares > 0 ? -along / squares : 0;
  return damping > 1 - LEAST_RESPONSE ? habit.map((x) => (x * (1 - LEAST_RESPONSE)) / damping) : habit;
}

/** One byte per number and a step per row, see read-landmark-habits.ts. */
function write(symmetric: readonly Float64Array[], expressions: readonly Float64Array[]): void {
  const half = Array.from(mirror.keys()).filter((l) => mirror[l] >= l);
  const rows = [
    ...symmetric.map((row) => half.flatMap((l) => [...row.subarray(3 * l, 3 * l + 3)])),
    ...expressions.filter((_, e) => mirrorExpression[e] >= e).map((row) => [...row]),
  ];
  const steps = rows.map((row) => Math.fround(Math.max(1e-6, ...row.map(Math.abs)) / 127));
  const stepBytes = Buffer.from(Float32Array.from(steps).buffer);
  const body = Buffer.concat([
    stepBytes,
    ...rows.map((row, i) => Buffer.from(Int8Array.from(row, (x) => Math.round(x / steps[i])).buffer)),
  ]);
  const head = Buffer.alloc(PREAMBLE_BYTES);
  head.write(MAGIC, 'latin1');
  for (const [i, n] of [VERSION, count, K, E].entries()) head.writeUInt32LE(n, 8 + 4 * i);
  createHash('sha256')
    .update(body)
    .digest()
    .copy(head, PREAMBLE_BYTES - 32);
  writeFileSync(landmarkHabitsPath(), Buffer.concat([head, body]));
  process.stderr.write(`${landmarkHabitsPath()}: ${head.length + body.length} bytes\n`);
}
