/**
 * Measures what the landmark network's features tell of pose and person (docs/decisions/face-readout.md), and writes
 * packages/head-model/model/face-readout.bin.
 *
 *   npx tsx --conditions=@facewright/source benchmarks/fidelity/measure-face-readout.ts [--out <file>] <samples>…
 *
 * `samples` are files of measure-landmark-samples.ts --features, each with its `.features` beside it. Ridge regression of the true rotation and the first
 * identity modes on view, landmarks and features; every tenth sample is left out first, to find the covariance of the errors. Ten minutes for 13 000 samples.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { faceReadoutPath } from '@facewright/head-model';
import { computeReadoutInput } from '../../packages/engine/src/fit/compute-readout-input.ts';
import { SHAPE_TRUST } from '../../packages/engine/src/fit/landmark-trust.ts';
import { unprojectLandmarks } from '../../packages/engine/src/fit/unproject-landmarks.ts';
import { factorCholesky, solveCholesky } from '../../packages/engine/src/math/cholesky.ts';
import { createRandom } from '../../packages/engine/src/math/random.ts';
import { multiply3, vectorFromRotation } from '../../packages/engine/src/math/rotation.ts';
import { loadFaceModel } from '../../packages/engine/src/models/load-face-model.ts';
import { READOUT_MAGIC, READOUT_VERSION } from '../../packages/engine/src/models/read-face-readout.ts';
import { readSamples, type Sample } from './landmark-samples.ts';

const FEATURES = 128 * 6 * 6;
/** Identity modes that are told; of the others the pictures say next to nothing. */
const MODES = 60;
const RESULTS = 3 + MODES;
/** Sum of the variances of view, landmarks and features, as the ridge sees them; and the ridge, in samples of that scale. */
const BLOCK_VARIANCES = [1, 1, 0.3] as const;
const RIDGE = 0.15;
/** A painted head counts as three textured ones, of which there are many more. */
const PAINTED_WEIGHT = 3;
/** Focal lengths are often assumed: three in ten are wrong by 20 % (one deviation). */
const WRONG_FOCAL_SHARE = 0.3;
const WRONG_FOCAL_SIGMA = 0.2;
const HELD_OUT = 10;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string', default: faceReadoutPath() } } });
const model = await loadFaceModel('head');
const { landmarks } = model;
const width = 3 * landmarks.count;
const trust = Float64Array.from(landmarks.landmark, (l, i) => SHAPE_TRUST[l] * landmarks.confidence[i]);
const random = createRandom(1);

interface Row {
  readonly input: Float32Array;
  readonly ends: readonly [number, number, number];
  readonly target: Float64Array;
  readonly weight: number;
  readonly photoSkin: number;
}

const rows = positionals.flatMap(readRows);
const skinCount = 1 + rows.reduce((most, row) => Math.max(most, row.photoSkin), -1);
const ends = rows[0]!.ends;
// After the input one column for each photograph's skin: where its features lie on our head is known to a few millimetres only.
const inputs = ends[2];
const columns = inputs + skinCount;
const totalWeight = rows.reduce((sum, row) => sum + row.weight, 0);
const inputMean = meanOf((row) => row.input, inputs);
const targetMean = meanOf((row) => row.target, RESULTS);
const scale = computeScale();

const kept = createEquations();
const heldOut = createEquations();
for (const [i, row] of rows.entries()) addRow(i % HELD_OUT === 0 ? heldOut : kept, row);
const covariance = measureErrors(solve(kept));
for (let i = 0; i < kept.normal.length; i++) kept.normal[i] += heldOut.normal[i]!;
for (let i = 0; i < kept.right.length; i++) kept.right[i] += heldOut.right[i]!;
write(solve(kept));

function readRows(path: string): Row[] {
  const samples = readSamples(path, model);
  const file = openSync(`${path}.features`, 'r');
  const read = samples.flatMap((sample) => {
    const features = new Float32Array(FEATURES);
    if (readSync(file, features) !== features.byteLength) throw new Error(`${path}.features is too short`);
    return makeRow(sample, features);
  });
  closeSync(file);
  return read;
}

function makeRow(sample: Sample, features: Float32Array): Row[] {
  const { intrinsics } = sample;
  const factor = random.uniform() < WRONG_FOCAL_SHARE ? Math.exp(WRONG_FOCAL_SIGMA * random.normal()) : 1;
  const lifted = unprojectLandmarks(sample.points, landmarks.landmark, { ...intrinsics, focalPx: factor * intrinsics.focalPx });
  const input = computeReadoutInput(landmarks, lifted, trust, features);
  if (input === null) return [];
  // From the model to the frame in which the landmarks lie over the mean face, by way of the camera's.
  const viewFromModel = multiply3(Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1), sample.rotation);
  const turn = vectorFromRotation(multiply3(input.rotation, viewFromModel));
  const target = Float64Array.of(...turn, ...sample.identity.subarray(0, MODES));
  // Landmarks that slide count less.
  for (let m = 0; m < width; m++) input.values[input.ends[0] + m]! *= Math.sqrt(trust[Math.floor(m / 3)]!);
  const weight = sample.isPainted ? PAINTED_WEIGHT : 1;
  return [{ input: input.values, ends: input.ends, target, weight, photoSkin: sample.photoSkin }];
}

function meanOf(read: (row: Row) => ArrayLike<number>, length: number): Float64Array {
  const mean = new Float64Array(length);
  for (const row of rows) {
    const list = read(row);
    for (let i = 0; i < length; i++) mean[i] += (row.weight * list[i]!) / totalWeight;
  }
  return mean;
}

/** Factor of each input that gives its block the variance that the ridge is meant for. */
function computeScale(): Float64Array {
  const variance = meanOf((row) => row.input.map((x, i) => (x - inputMean[i]!) ** 2), inputs);
  const out = new Float64Array(inputs);
  for (let block = 0, first = 0; block < 3; first = ends[block]!, block++) {
    const sum = variance.subarray(first, ends[block]).reduce((a, b) => a + b, 0);
    out.fill(Math.sqrt(BLOCK_VARIANCES[block]! / sum), first, ends[block]);
  }
  return out;
}

interface Equations {
  /** Shape (columns, columns), lower half. */
  readonly normal: Float64Array;
  /** Shape (columns, results) */
  readonly right: Float64Array;
}

function createEquations(): Equations {
  return { normal: new Float64Array(columns * columns), right: new Float64Array(columns * RESULTS) };
}

function addRow({ normal, right }: Equations, row: Row): void {
  const w = (row.weight * rows.length) / totalWeight;
  const x = new Float64Array(columns);
  for (let i = 0; i < inputs; i++) x[i] = scale[i]! * (row.input[i]! - inputMean[i]!);
  if (row.photoSkin >= 0) x[inputs + row.photoSkin] = 0.5;
  for (let i = 0; i < columns; i++) addScaled(normal, i * columns, w * x[i]!, x, i + 1);
  const y = row.target.map((t, k) => t - targetMean[k]!);
  for (let i = 0; i < columns; i++) addScaled(right, i * RESULTS, w * x[i]!, y, RESULTS);
}

function addScaled(out: Float64Array, at: number, factor: number, x: Float64Array, length: number): void {
  for (let j = 0; j < length; j++) out[at + j] += factor * x[j]!;
}

/** Coefficients of the scaled inputs; shape (results, inputs). */
function solve({ normal, right }: Equations): Float64Array[] {
  const ridged = normal.slice();
  for (let i = 0; i < columns; i++) ridged[i * columns + i] += RIDGE;
  const factor = factorCholesky(ridged, columns);
  if (factor === null) throw new Error('too few samples');
  return Array.from({ length: RESULTS }, (_, k) =>
    solveCholesky(
      factor,
      columns,
      Float64Array.from({ length: columns }, (__, i) => right[i * RESULTS + k]!),
    ).slice(0, inputs),
  );
}

/** Covariance of the identity's errors over the samples that were left out, shape (modes, modes); tells the errors of the pose. */
function measureErrors(coefficients: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(MODES * MODES);
  const turns = [0, 0, 0];
  let count = 0;
  for (let r = 0; r < rows.length; r += HELD_OUT) {
    const { input, target } = rows[r]!;
    const x = Float64Array.from({ length: inputs }, (_, i) => scale[i]! * (input[i]! - inputMean[i]!));
    const error = coefficients.map((c, k) => targetMean[k]! + dot(c, x) - target[k]!);
    for (let k = 0; k < 3; k++) turns[k] += error[k]! ** 2;
    for (let a = 0; a < MODES; a++) for (let b = 0; b < MODES; b++) out[a * MODES + b] += error[3 + a]! * error[3 + b]!;
    count++;
  }
  const degrees = turns.map((t) => ((180 / Math.PI) * Math.sqrt(t / count)).toFixed(2));
  process.stderr.write(
    `${rows.length} samples; rms of ${count} left out, degrees: pitch ${degrees[0]}, yaw ${degrees[1]}, roll ${degrees[2]}\n`,
  );
  return out.map((c) => c / count);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** One byte per coefficient and a step per result and block, see read-face-readout.ts. */
function write(coefficients: readonly Float64Array[]): void {
  const constants = Float32Array.from(
    coefficients,
    (c, k) => targetMean[k]! - c.reduce((sum, x, i) => sum + x * scale[i]! * inputMean[i]!, 0),
  );
  // Per millimetre of a landmark, without its weight.
  const raw = coefficients.map((c) =>
    c.map((x, i) => x * scale[i]! * (i >= ends[0] && i < ends[1] ? Math.sqrt(trust[Math.floor((i - ends[0]) / 3)]!) : 1)),
  );
  const steps = new Float32Array(3 * RESULTS);
  const table = new Int8Array(RESULTS * inputs);
  for (const [k, row] of raw.entries()) {
    for (let block = 0, first = 0; block < 3; first = ends[block]!, block++) {
      const part = row.subarray(first, ends[block]);
      const step = Math.fround(part.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-12) / 127);
      steps[block * RESULTS + k] = step;
      for (const [i, x] of part.entries()) table[k * inputs + first + i] = Math.round(x / step);
    }
  }
  const bytesOf = (list: Float32Array | Int8Array): Buffer => Buffer.from(list.buffer);
  const body = Buffer.concat([bytesOf(constants), bytesOf(steps), bytesOf(table), bytesOf(Float32Array.from(covariance))]);
  const head = Buffer.alloc(24);
  head.write(READOUT_MAGIC, 'latin1');
  for (const [i, n] of [READOUT_VERSION, landmarks.count, FEATURES, MODES].entries()) head.writeUInt32LE(n, 8 + 4 * i);
  writeFileSync(values.out, Buffer.concat([head, createHash('sha256').update(body).digest(), body]));
  process.stderr.write(`${values.out}: ${56 + body.length} bytes\n`);
}
