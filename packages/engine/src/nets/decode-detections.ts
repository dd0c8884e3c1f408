import type { Window } from './sample-window.ts';

/** A face as one pass of the detector sees it. Coordinates: image frame of the raster, pixels. */
export interface Candidate {
  /** 0..1 */
  readonly score: number;
  /** Centre of the box. */
  readonly centerX: number;
  readonly centerY: number;
  /** Along and across the window's rows. */
  readonly width: number;
  readonly height: number;
  /** Shape (6,2): right eye, left eye (the person's), nose tip, mouth centre, right ear, left ear. */
  readonly keypoints: Float64Array;
  readonly window: Window;
}

/** Side of the detector's input, pixels. */
export const DETECTOR_SIDE_PX = 128;

/**
 * Faces in the detector's output: MediaPipe's TensorsToDetections with its short-range anchors, and its weighted
 * non-maximum suppression (the boxes that overlap the best one are averaged, weighted by score).
 *
 * @param regressors Shape (896,16): box centre and size, then six keypoints, in input pixels from the anchor.
 * @param logits Shape (896).
 * @param window What the input was sampled from.
 * @returns Best first.
 */
export function decodeDetections(regressors: Float32Array, logits: Float32Array, window: Window, minScore: number): Candidate[] {
  // Compared before the sigmoid: no anchor but a few is worth its exponential.
  const minLogit = Math.log(minScore / (1 - minScore));
  const found: Raw[] = [];
  for (let a = 0; a < ANCHOR_COUNT; a++) {
    const logit = logits[a]!;
    if (!(logit >= minLogit)) continue;
    const values = new Float64Array(VALUES);
    const anchorX = ANCHORS[2 * a]!;
    const anchorY = ANCHORS[2 * a + 1]!;
    for (let k = 0; k < VALUES; k++) values[k] = regressors[a * VALUES + k]! / DETECTOR_SIDE_PX;
    for (let k = 0; k < VALUES; k += 2) {
      if (k === 2) continue; // width and height
      values[k]! += anchorX;
      values[k + 1]! += anchorY;
    }
    found.push({ score: 1 / (1 + Math.exp(-Math.min(logit, MAX_LOGIT))), values });
  }
  return suppressWeighted(found).map((raw) => toCandidate(raw, window));
}

interface Raw {
  readonly score: number;
  /** Window coordinates, 0..1: centre x, y, width, height, then six keypoints. */
  readonly values: Float64Array;
}

const VALUES = 16;
/** As MediaPipe's score_clipping_thresh. */
const MAX_LOGIT = 100;
/** Overlap (intersection over union) from which two boxes are one face: MediaPipe's min_suppression_threshold. */
const MIN_OVERLAP = 0.3;

/** MediaPipe's min_detection_confidence. */
const REFERENCE_MIN_SCORE = 0.5;

/** Grids of 16 x 16 cells with 2 anchors and 8 x 8 cells with 6; each in the middle of its cell, of size 1. */
const ANCHORS = (() => {
  const out: number[] = [];
  for (const [cells, perCell] of [
    [16, 2],
    [8, 6],
  ] as const) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let k = 0; k < perCell; k++) out.push((x + 0.5) / cells, (y + 0.5) / cells);
      }
    }
  }
  return Float64Array.from(out);
})();
const ANCHOR_COUNT = ANCHORS.length / 2;

function suppressWeighted(found: Raw[]): Raw[] {
  const out: Raw[] = [];
  let rest = found.sort((a, b) => b.score - a.score);
  while (rest.length > 0) {
    const best = rest[0]!;
    const same = rest.filter((r) => r === best || overlapOf(r.values, best.values) > MIN_OVERLAP);
    const mean = new Float64Array(VALUES);
    let total = 0;
    for (const { score, values } of same) {
      // So that a search among weaker candidates gives the reference's boxes for those that it has too.
      if (score < REFERENCE_MIN_SCORE && best.score >= REFERENCE_MIN_SCORE) continue;
      total += score;
      for (let k = 0; k < VALUES; k++) mean[k]! += score * values[k]!;
    }
    for (let k = 0; k < VALUES; k++) mean[k]! /= total;
    out.push({ score: best.score, values: mean });
    rest = rest.filter((r) => !same.includes(r));
  }
  return out;
}

/** Intersection over union of two boxes given as centre and size. */
export function overlapOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const along = (k: number) =>
    Math.min(a[k]! + a[k + 2]! / 2, b[k]! + b[k + 2]! / 2) - Math.max(a[k]! - a[k + 2]! / 2, b[k]! - b[k + 2]! / 2);
  const w = along(0);
  const h = along(1);
  if (!(w > 0 && h > 0)) return 0;
  return (w * h) / (a[2]! * a[3]! + b[2]! * b[3]! - w * h);
}

function toCandidate({ score, values }: Raw, window: Window): Candidate {
  const { sizePx, cos, sin } = window;
  const x = (k: number) => window.centerX + ((values[k]! - 0.5) * cos - (values[k + 1]! - 0.5) * sin) * sizePx;
  const y = (k: number) => window.centerY + ((values[k]! - 0.5) * sin + (values[k + 1]! - 0.5) * cos) * sizePx;
  const keypoints = new Float64Array(12);
  for (let k = 0; k < 12; k += 2) {
    keypoints[k] = x(4 + k);
    keypoints[k + 1] = y(4 + k);
  }
  return { score, centerX: x(0), centerY: y(0), width: values[2]! * sizePx, height: values[3]! * sizePx, keypoints, window };
}
