import { estimateSimilarity, type Similarity } from '../../packages/engine/src/math/similarity.ts';
import { createClosestPointTree } from './closest-point.ts';

const ITERATIONS = 60;
/** Share of the worst pairs that the alignment leaves out. */
const TRIM = 0.1;
/** The alignment uses every third point; all of them are scored. */
const ALIGN_STRIDE = 3;

/** Distances of a scan from a prediction, millimetres. */
export interface Score {
  readonly medianMm: number;
  readonly meanMm: number;
}

/**
 * Scan-to-mesh distance: the prediction is laid over the scan by a similarity (ICP: 60 rounds of nearest points and Horn's closed form, the worst tenth
 * left out each time), then every scan point's distance to the surface is taken.
 *
 * @param scanPoints - shape (n,3), millimetres
 * @param positions - shape (V,3), any unit and frame; with `start` near the scan
 * @param triangles - shape (T,3)
 * @param start - scanFromMesh to begin with
 */
export function scoreMesh(
  scanPoints: Float64Array,
  positions: ArrayLike<number>,
  triangles: ArrayLike<number>,
  start: Similarity = { scale: 1, rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: new Float64Array(3) },
): Score {
  const tree = createClosestPointTree(positions, triangles);
  const count = scanPoints.length / 3;
  const hints = new Int32Array(count);
  const distances = new Float64Array(count);
  const closest = new Float64Array(3 * count);
  const local = new Float64Array(3);
  const out = new Float64Array(4);
  let pose = start;

  // Distances are the same in the prediction's frame up to the scale, and there the tree stays as it is.
  const match = (stride: number): void => {
    const { scale, rotation: r, translation: t } = pose;
    for (let i = 0; i < count; i += stride) {
      const x = (scanPoints[3 * i] - t[0]) / scale;
      const y = (scanPoints[3 * i + 1] - t[1]) / scale;
      const z = (scanPoints[3 * i + 2] - t[2]) / scale;
      for (let k = 0; k < 3; k++) local[k] = r[k] * x + r[3 + k] * y + r[6 + k] * z;
      hints[i] = tree.find(local[0], local[1], local[2], out, hints[i]);
      closest[3 * i] = out[0];
      closest[3 * i + 1] = out[1];
      closest[3 * i + 2] = out[2];
      distances[i] = scale * Math.sqrt(out[3]);
    }
  };

  const used: number[] = [];
  for (let i = 0; i < count; i += ALIGN_STRIDE) used.push(i);
  const source = new Float64Array(3 * used.length);
  const target = new Float64Array(3 * used.length);
  const weights = new Float64Array(used.length);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    match(ALIGN_STRIDE);
    const sorted = Float64Array.from(used, (i) => distances[i]).sort();
    const limit = sorted[Math.floor((1 - TRIM) * (sorted.length - 1))];
    used.forEach((i, j) => {
      source.set(closest.subarray(3 * i, 3 * i + 3), 3 * j);
      target.set(scanPoints.subarray(3 * i, 3 * i + 3), 3 * j);
      weights[j] = distances[i] <= limit ? 1 : 0;
    });
    const next = estimateSimilarity(source, target, weights);
    if (next === null) throw new Error('the prediction is degenerate');
    pose = next;
  }
  match(1);
  const sorted = distances.slice().sort();
  return { medianMm: (sorted[(count - 1) >> 1] + sorted[count >> 1]) / 2, meanMm: distances.reduce((a, b) => a + b, 0) / count };
}

/** Start for a prediction in another frame: the similarity that takes its own reference points to the same points near the scan. */
export function alignByPoints(source: Float64Array, target: Float64Array): Similarity {
  const s = estimateSimilarity(source, target, new Float64Array(source.length / 3).fill(1));
  if (s === null) throw new Error('the points are degenerate');
  return s;
}
