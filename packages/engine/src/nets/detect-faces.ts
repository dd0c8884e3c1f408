import type { Raster } from '../photo/raster.ts';
import { measureInstability } from './assess-landmarks.ts';
import { checkNotCanceled } from './check-not-canceled.ts';
import { type Candidate, DETECTOR_SIDE_PX, decodeDetections, overlapOf } from './decode-detections.ts';
import type { DetectOptions, FaceDetection } from './face-networks.ts';
import { regionFromDetection, regionFromLandmarks } from './face-region.ts';
import { findLandmarksInRegion } from './find-landmarks.ts';
import type { RunNetwork } from './load-face-networks.ts';
import { letterboxWindow, type QuarterTurns, ROW_DIRECTION, sampleWindow, type Window } from './sample-window.ts';

/**
 * Faces of a raster, best score first: see `FaceNetworks.detectFaces`.
 *
 * The plain search is one look at the whole raster, as the reference does it. The thorough one adds, each step only where
 * the one before leaves doubt:
 *
 * 1. Upside down. The detector also fires on faces that are turned. At a quarter turn it tells so by itself (the line of the
 *    eyes stands steep), upside down it does not: it invents an upright face, with a score of up to 0.92. So the whole
 *    raster is looked at the other way round too, and if the first look was strong and clearly better, the photo is upright.
 * 2. All four turns otherwise.
 * 3. From further away, for faces that fill or overfill the raster.
 * 4. Closer, in overlapping tiles, until faces half as large as the largest found so far would have been seen.
 *
 * Every face of which the first look is not sure is looked at closer, upright, from several distances; its score is the mean
 * of those looks, and counts for the choice of the turn too. One that stays uncertain must have landmarks as well.
 *
 * @throws FW_CANCELED
 */
export async function detectFaces(
  networks: { readonly detector: RunNetwork; readonly landmarker: RunNetwork },
  raster: Raster,
  options: DetectOptions = {},
): Promise<FaceDetection[]> {
  const minScore = options.minScore ?? 0.5;
  const search = new FaceSearch(networks.detector, raster, options.signal);
  if (!(options.thorough ?? true)) return (await search.look(letterboxWindow(raster), minScore)).map(toDetection);
  const faces: FaceDetection[] = [];
  for (const found of (await search.thorough(minScore, options)).map(toDetection)) {
    if (found.score >= STRONG_SCORE || (await hasLandmarks(networks.landmarker, raster, found, options.signal))) faces.push(found);
  }
  return faces;
}

/** Whether the landmark network sees a face too, and the same one from two regions. */
async function hasLandmarks(run: RunNetwork, raster: Raster, face: FaceDetection, signal: AbortSignal | undefined): Promise<boolean> {
  checkNotCanceled(signal, 'detect');
  const first = await findLandmarksInRegion(run, raster, regionFromDetection(face));
  if (first.presence < MIN_PRESENCE) return false;
  checkNotCanceled(signal, 'detect');
  const second = await findLandmarksInRegion(run, raster, regionFromLandmarks(first.points));
  return second.presence >= MIN_PRESENCE && measureInstability(first, second) <= MAX_INSTABILITY;
}

/** Sharp and blurred people have 1.00; patterns, hands and hair that the detector takes for faces mostly 0.0 to 0.3. */
const MIN_PRESENCE = 0.5;
/** People have at most 0.042 (strongly blurred; otherwise 0.02), what a dog's eye or nose looks like 0.05 to 0.11. */
const MAX_INSTABILITY = 0.05;
/** From this score on a first look is strong. Wrong ones (of turned faces) reach 0.92 only upside down, which is looked at then. */
const STRONG_SCORE = 0.85;
/** By how much a strong look must beat the same face upside down. Right ones do by 0.2 in the median. */
const STRONG_MARGIN = 0.05;
/**
 * Radians, 25 degrees. A head is seldom tilted more; one that is may as well be a head tilted the other way in a photo that
 * lies on its side.
 */
const UPRIGHT_ROLL_RAD = 0.44;
/** A weak candidate that is worth a second look: small faces come with 0.4 and turn out to be 0.9 from close by. */
const CANDIDATE_SCORE = 0.4;
/**
 * Closer looks: side of the window over the face's box, and its turn away from upright. The first is the one that tells a
 * right from a wrong turn best (of 2.4, 3.2, 4.2 times the box). The mean score of all five tells faces from other things:
 * 12 photos of people in 12 variations (tilt to 30 degrees, dark, flat, blurred, small, grey, far away, noise) at four turns
 * got at least 0.80 (0.73 with half of the face cut off), and the right turn in all 576 cases; features of a dog and the
 * back of a head got at most 0.66. Single looks overlap (a dog's eye reaches 0.73).
 */
const CLOSER_LOOKS = [
  { scale: 3.2, rollRad: 0 },
  { scale: 2, rollRad: 0 },
  { scale: 4, rollRad: 0 },
  { scale: 5, rollRad: 0 },
  { scale: 3.2, rollRad: -0.26 },
] as const;
/** A closer look, or the mean of those so far, below this is not followed up: the lowest first look at a person was 0.72. */
const DOUBTFUL_SCORE = 0.5;
/** Radians. A look that sees the line of the eyes turned by more sees something else. */
const SAME_ROLL_RAD = Math.PI / 6;
/**
 * Share of the window's side from which on a face is seen (as a candidate): at 1/6 people score 0.9 as at any larger size,
 * at 1/8 0.84, at 1/9 0.70, at 1/12 0.2.
 */
const REACH = 1 / 8;
/** Overlap of neighbouring tiles, share of their side: what a window of twice the side still sees (2 * REACH), and a margin. */
const TILE_OVERLAP = 0.32;
/** Smallest tile, share of the raster's long side: bounds the work to about 500 looks per turn, where `minFacePx` asks for so much. */
const MIN_TILE_RATIO = 1 / 20;
/** How much further away the raster is looked at in step 3: finds faces of which 0.7 of the side is inside. */
const AWAY_SCALE = 1.5;
/** Bounds the work on pictures full of weak candidates (grilles, crowds). */
const MAX_CLOSER_LOOKS = 40;
/** Below this standard deviation (of 0..255) a tile is sky or wall. */
const FLAT_TILE = 2;

class FaceSearch {
  readonly #run: RunNetwork;
  readonly #raster: Raster;
  readonly #signal: AbortSignal | undefined;
  #closerLooks = 0;

  constructor(run: RunNetwork, raster: Raster, signal: AbortSignal | undefined) {
    this.#run = run;
    this.#raster = raster;
    this.#signal = signal;
  }

  /** One pass of the network over a window. */
  async look(window: Window, minScore = CANDIDATE_SCORE, skipFlat = false): Promise<Candidate[]> {
    checkNotCanceled(this.#signal, 'detect');
    const input = sampleWindow(this.#raster, window, DETECTOR_SIDE_PX, -1, 1, 'black');
    if (skipFlat && deviationOf(input) < FLAT_TILE / 127.5) return [];
    const output = await this.#run(input);
    return decodeDetections(output.regressors!, output.classificators!, window, minScore);
  }

  async thorough(minScore: number, { minFacePx = 40, everyFace = false }: DetectOptions): Promise<Candidate[]> {
    const raster = this.#raster;
    const upright = await this.look(letterboxWindow(raster));
    const strong = upright.find(isStrong);
    let found: Candidate[];
    if (strong && !(await this.#isBetterUpsideDown(strong))) {
      found = [strong, ...(await this.#confirm(upright.filter((c) => c !== strong)))];
    } else {
      const looks = [...upright];
      for (const turn of [1, 2, 3] as const) looks.push(...(await this.look(letterboxWindow(raster, turn))));
      found = await this.#confirm(looks);
    }

    const longSide = Math.max(raster.width, raster.height);
    if (!found.some((c) => c.score >= STRONG_SCORE && sizeOf(c) < longSide / AWAY_SCALE)) {
      for (const turn of this.#turnsOf(found, minScore)) {
        const window = letterboxWindow(raster, turn);
        found = keepBest([...found, ...(await this.#confirm(await this.look({ ...window, sizePx: AWAY_SCALE * window.sizePx })))]);
      }
    }

    for (let side = longSide; ; ) {
      const largest = Math.max(0, ...found.filter((c) => c.score >= minScore).map(sizeOf));
      // 1.25: half the step between two levels would otherwise cost a whole level for a few pixels.
      const wanted = 1.25 * Math.max(minFacePx, everyFace ? 0 : largest / 2);
      if (side * REACH <= wanted) break;
      side /= 2;
      if (side < MIN_TILE_RATIO * longSide) break;
      // Where no face tells the turn of the photo, two are enough: a quarter turn is seen from either.
      const turns = largest > 0 ? this.#turnsOf(found, minScore).slice(0, 1) : ([0, 2] as const);
      for (const turn of turns) {
        const before = found;
        found = keepBest([...found, ...(await this.#searchTiles(side, turn, found))]);
        if (found.some((c) => !before.includes(c) && c.score >= minScore)) break;
      }
    }
    return keepBest(found).filter((c) => c.score >= minScore);
  }

  /** Turns at which the faces found stand upright, the best one's first; all four when there is none. */
  #turnsOf(found: readonly Candidate[], minScore: number): QuarterTurns[] {
    const turns = found.filter((c) => c.score >= minScore).map(turnsToUpright);
    return turns.length > 0 ? [...new Set(turns)] : [0, 2, 1, 3];
  }

  async #isBetterUpsideDown(c: Candidate): Promise<boolean> {
    const others = await this.look(letterboxWindow(this.#raster, 2));
    return others.some((o) => isSameFace(o, c) && o.score > c.score - STRONG_MARGIN);
  }

  async #searchTiles(side: number, turn: QuarterTurns, found: readonly Candidate[]): Promise<Candidate[]> {
    const [cos, sin] = ROW_DIRECTION[turn];
    const looks: Candidate[] = [];
    for (const centerY of tileCenters(this.#raster.height, side)) {
      for (const centerX of tileCenters(this.#raster.width, side)) {
        looks.push(...(await this.look({ centerX, centerY, sizePx: side, cos, sin }, CANDIDATE_SCORE, true)));
      }
    }
    return this.#confirm(looks.filter((c) => !found.some((f) => f.score >= STRONG_SCORE && isSameFace(f, c))));
  }

  /** The candidates that a second look agrees with, one per face. */
  async #confirm(candidates: readonly Candidate[]): Promise<Candidate[]> {
    const confirmed: Candidate[] = [];
    for (const c of [...candidates].sort((a, b) => b.score - a.score)) {
      // A face that is certain needs no further look from another tile.
      if (confirmed.some((o) => o.score >= STRONG_SCORE && isSameFace(o, c) && turnsToUpright(o) === turnsToUpright(c))) continue;
      if (++this.#closerLooks > MAX_CLOSER_LOOKS) break;
      const sure = await this.#lookCloser(c);
      if (sure) confirmed.push(sure);
    }
    return keepLikelyTurns(confirmed);
  }

  /**
   * Looks closer, with the face upright in the middle of the window, and returns what is seen there with the score that the
   * closer looks give it; null when they see something else. Where one shows the face at another turn, and better, that is
   * followed.
   */
  async #lookCloser(c: Candidate, mayTurn = true): Promise<Candidate | null> {
    const near = await this.#closeLook(c, CLOSER_LOOKS[0]);
    if (!near || near.score < DOUBTFUL_SCORE) return null;
    if (!isSameRoll(near, c)) return mayTurn && near.score > c.score ? this.#lookCloser(near, false) : null;
    // Small in its window, or less certain than now: the closer look shows it more exactly.
    const isCoarse = sizeOf(c) < 1.5 * REACH * c.window.sizePx;
    const sharper = isCoarse || near.score > c.score ? near : c;
    if (Math.min(near.score, c.score) >= STRONG_SCORE) return { ...sharper, score: Math.min(near.score, c.score) };

    const scores = [near.score];
    for (const look of CLOSER_LOOKS.slice(1)) {
      const seen = await this.#closeLook(c, look);
      scores.push(seen && isSameRoll(seen, c) ? seen.score : 0);
      if (meanOf(scores) < DOUBTFUL_SCORE) return null;
    }
    const sure = { ...sharper, score: meanOf(scores) };
    if (!mayTurn) return sure;
    const flipped = await this.#closeLook(c, { scale: CLOSER_LOOKS[0].scale, rollRad: Math.PI });
    const other = flipped && !isSameRoll(flipped, c) && flipped.score > sure.score ? await this.#lookCloser(flipped, false) : null;
    return other && other.score > sure.score ? other : sure;
  }

  async #closeLook(c: Candidate, { scale, rollRad }: { scale: number; rollRad: number }): Promise<Candidate | undefined> {
    const k = c.keypoints;
    const roll = rollOf(c) + rollRad;
    const size = sizeOf(c);
    const window: Window = {
      // Between the eyes and the mouth: unlike the box, that is the middle of the face whichever way up it was seen.
      centerX: (k[0]! + k[2]!) / 4 + k[6]! / 2,
      centerY: (k[1]! + k[3]!) / 4 + k[7]! / 2,
      sizePx: scale * size,
      cos: Math.cos(roll),
      sin: Math.sin(roll),
    };
    return (await this.look(window, 0.1)).find((o) => {
      const distance = Math.hypot(o.centerX - window.centerX, o.centerY - window.centerY);
      return distance < size / 2 && sizeOf(o) > size / 2 && sizeOf(o) < 2 * size;
    });
  }
}

const isStrong = (c: Candidate): boolean => c.score >= STRONG_SCORE && Math.abs(rollOf(c)) <= UPRIGHT_ROLL_RAD;

const sizeOf = (c: Candidate): number => Math.max(c.width, c.height);

/** Direction from the right to the left eye, radians, clockwise on the screen. */
const rollOf = ({ keypoints: k }: Candidate): number => Math.atan2(k[3]! - k[1]!, k[2]! - k[0]!);

const meanOf = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

function isSameRoll(a: Candidate, b: Candidate): boolean {
  const angle = rollOf(a) - rollOf(b);
  return Math.abs(Math.atan2(Math.sin(angle), Math.cos(angle))) <= SAME_ROLL_RAD;
}

const turnsToUpright = (c: Candidate): QuarterTurns => ((4 - Math.round(rollOf(c) / (Math.PI / 2))) % 4) as QuarterTurns;

/** Boxes seen upright and turned lie differently about the same face, hence also by the distance of their centres. */
function isSameFace(a: Candidate, b: Candidate): boolean {
  if (overlapOf([a.centerX, a.centerY, a.width, a.height], [b.centerX, b.centerY, b.width, b.height]) > 0.3) return true;
  const [small, large] = sizeOf(a) < sizeOf(b) ? [sizeOf(a), sizeOf(b)] : [sizeOf(b), sizeOf(a)];
  return small > large / 3 && Math.hypot(a.centerX - b.centerX, a.centerY - b.centerY) < large / 2;
}

/**
 * One candidate per face. The faces of a photo mostly stand the same way up, and one of them may well be seen wrongly (a
 * tilted child among others, 0.91 to 0.86): the turn with the largest sum of scores over all faces is preferred.
 */
function keepLikelyTurns(candidates: readonly Candidate[]): Candidate[] {
  const votes = [0, 0, 0, 0];
  for (const turn of [0, 1, 2, 3]) for (const c of keepBest(candidates.filter((o) => turnsToUpright(o) === turn))) votes[turn]! += c.score;
  const likely = votes.indexOf(Math.max(...votes));
  const preferred = candidates.filter((c) => turnsToUpright(c) === likely);
  const others = candidates.filter((c) => !preferred.some((o) => isSameFace(o, c) && o.score > c.score - LIKELY_TURN_MARGIN));
  return keepBest([...preferred.filter((c) => !others.some((o) => isSameFace(o, c) && o.score > c.score)), ...others]);
}

/** By how much a face may score less at the turn of its photo than at another. */
const LIKELY_TURN_MARGIN = 0.15;

function keepBest(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const c of [...candidates].sort((a, b) => b.score - a.score)) if (!kept.some((o) => isSameFace(o, c))) kept.push(c);
  return kept;
}

/** Evenly spaced, from one end of the raster to the other, overlapping by at least {@link TILE_OVERLAP}. */
function tileCenters(length: number, side: number): number[] {
  if (length <= side) return [length / 2];
  const gaps = Math.ceil((length - side) / ((1 - TILE_OVERLAP) * side));
  return Array.from({ length: gaps + 1 }, (_, i) => side / 2 + (i * (length - side)) / gaps);
}

function deviationOf(values: Float32Array): number {
  let sum = 0;
  let squares = 0;
  for (const v of values) {
    sum += v;
    squares += v * v;
  }
  const mean = sum / values.length;
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
}

function toDetection(c: Candidate): FaceDetection {
  // The box stands along the window's rows; across, where the window was turned by (about) a quarter.
  const isAcross = Math.abs(c.window.sin) > Math.abs(c.window.cos);
  const width = isAcross ? c.height : c.width;
  const height = isAcross ? c.width : c.height;
  return {
    score: c.score,
    box: { x: c.centerX - width / 2, y: c.centerY - height / 2, width, height },
    keypoints: c.keypoints,
    quarterTurns: turnsToUpright(c),
  };
}
