import type { Raster } from '../photo/raster.ts';
import { type Candidate, DETECTOR_SIDE_PX, decodeDetections } from './decode-detections.ts';
import type { DetectOptions, FaceDetection } from './face-networks.ts';
import type { RunNetwork } from './load-face-networks.ts';
import { letterboxWindow, type QuarterTurns, sampleWindow, type Window } from './sample-window.ts';

/** Faces of a raster, best score first. See {@link FaceNetworks.detectFaces}. */
export async function detectFaces(run: RunNetwork, raster: Raster, options: DetectOptions = {}): Promise<FaceDetection[]> {
  const minScore = options.minScore ?? 0.5;
  const pass = async (window: Window) => {
    const output = await run(sampleWindow(raster, window, DETECTOR_SIDE_PX, -1, 1));
    return decodeDetections(output.regressors!, output.classificators!, window, minScore);
  };
  const found = (await pass(letterboxWindow(raster))).map((c) => toDetection(c, 0));
  return found;
}

function toDetection(c: Candidate, quarterTurns: QuarterTurns): FaceDetection {
  const sideways = quarterTurns % 2 === 1;
  const width = sideways ? c.height : c.width;
  const height = sideways ? c.width : c.height;
  return {
    score: c.score,
    box: { x: c.centerX - width / 2, y: c.centerY - height / 2, width, height },
    keypoints: c.keypoints,
    quarterTurns,
  };
}
