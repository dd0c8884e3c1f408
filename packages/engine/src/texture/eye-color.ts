import type { FaceLandmarks } from '../nets/face-networks.ts';
import { LEFT_IRIS, LEFT_LIDS, RIGHT_IRIS, RIGHT_LIDS } from '../nets/landmark-names.ts';
import type { PhotoView } from '../photo/photo.ts';

/** Colours of a person's eyes as the photo shows them, sRGB 0..255. */
export interface EyeColors {
  /** Between pupil and limbus, without reflections. */
  readonly iris: readonly [number, number, number];
  /** The white of the eye, in the photo's light. */
  readonly sclera: readonly [number, number, number];
}

interface EyeLandmarks {
  readonly center: number;
  readonly rim: readonly number[];
  /** Lid margin, in order. */
  readonly lids: readonly number[];
}

const EYES: readonly EyeLandmarks[] = [
  { center: RIGHT_IRIS[0], rim: RIGHT_IRIS.slice(1), lids: RIGHT_LIDS },
  { center: LEFT_IRIS[0], rim: LEFT_IRIS.slice(1), lids: LEFT_LIDS },
];

/** Some 300 samples of an iris tell its mean to a level of 8 bits. */
const STEPS_PER_RADIUS = 7;

/** A dark brown: what most irises are where the photo does not tell. */
const DEFAULT_IRIS: readonly [number, number, number] = [74, 50, 36];

/**
 * Estimates the colours of the eyes. The iris is what lies between 0.4 and 0.85 of its radius inside the lids; the darkest third there
 * (pupil, lashes, shade of the lid) and the brightest fifth (reflections) are left out and the rest is averaged. The sclera is
 * the brighter half of what lies beyond 1.25 radii.
 *
 * @param skinLuma - 0..255, brightness of the skin: says how bright the white of an eye can be in this light
 */
export function estimateEyeColors(landmarks: FaceLandmarks, view: PhotoView, skinLuma: number): EyeColors {
  const irisSamples: [number, number, number, number][] = [];
  const scleraSamples: [number, number, number, number][] = [];
  const { points } = landmarks;
  for (const eye of EYES) {
    const cx = (points[3 * eye.center] - view.x) / view.scaleX;
    const cy = (points[3 * eye.center + 1] - view.y) / view.scaleY;
    let radius = 0;
    for (const l of eye.rim)
      radius += Math.hypot((points[3 * l] - view.x) / view.scaleX - cx, (points[3 * l + 1] - view.y) / view.scaleY - cy) / 4;
    const lids = eye.lids.map((l): [number, number] => [
      (points[3 * l] - view.x) / view.scaleX,
      (points[3 * l + 1] - view.y) / view.scaleY,
    ]);
    if (!(radius > 1.2)) continue;
    const step = Math.max(1, Math.floor(radius / STEPS_PER_RADIUS));
    const reach = 2.6 * radius;
    for (let y = Math.ceil(cy - 1.2 * radius); y <= cy + 1.2 * radius; y += step) {
      for (let x = Math.ceil(cx - reach); x <= cx + reach; x += step) {
        if (x < 0 || y < 0 || x >= view.raster.width || y >= view.raster.height) continue;
        const d = Math.sqrt((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2) / radius;
        const isIris = d > 0.4 && d < 0.85;
        const isSclera = d > 1.25;
        if (!isIris && !isSclera) continue;
        // A tenth of the radius away from the lids, so that lashes and lid margins stay out.
        if (!isInside(lids, x + 0.5, y + 0.5, 0.12 * radius)) continue;
        const p = 3 * (y * view.raster.width + x);
        const r = view.raster.rgb[p];
        const g = view.raster.rgb[p + 1];
        const b = view.raster.rgb[p + 2];
        (isIris ? irisSamples : scleraSamples).push([0.299 * r + 0.587 * g + 0.114 * b, r, g, b]);
      }
    }
  }
  const iris = keepNatural(averageBetween(irisSamples, 0.33, 0.8) ?? DEFAULT_IRIS);
  // An eye's white is seldom seen brighter than half again the skin around it, nor darker than that skin by much.
  const white = averageBetween(scleraSamples, 0.45, 0.85) ?? [220, 208, 200];
  const luma = Math.max(1, 0.299 * white[0] + 0.587 * white[1] + 0.114 * white[2]);
  const wanted = Math.max(118, Math.min(232, Math.max(luma, 1.05 * skinLuma)));
  // Half of its tint only: red eyes and coloured light look ill on a white that is then lit again.
  const grey = (c: number): number => (0.5 * c + 0.5 * luma) * (wanted / luma);
  return { iris, sclera: [Math.min(245, grey(white[0]) * 1.01), Math.min(242, grey(white[1])), Math.min(240, grey(white[2]))] };
}

/** No iris is purple: brown ones in which blue light is reflected only seem so. */
function keepNatural([r, g, b]: readonly [number, number, number]): [number, number, number] {
  const brown = Math.max(0, Math.min(1, (r / Math.max(1, g) - 1.05) / 0.15));
  return [r, g, b + brown * (Math.min(b, 0.82 * g) - b)];
}

function averageBetween(samples: [number, number, number, number][], low: number, high: number): [number, number, number] | null {
  if (samples.length < 8) return null;
  samples.sort((a, b) => a[0] - b[0]);
  const from = Math.floor(low * samples.length);
  const to = Math.max(from + 1, Math.floor(high * samples.length));
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = from; i < to; i++) for (let k = 0; k < 3; k++) sum[k] = sum[k] + samples[i][k + 1];
  return [sum[0] / (to - from), sum[1] / (to - from), sum[2] / (to - from)];
}

/** Whether a point lies inside a polygon and at least `margin` from its edges. */
function isInside(polygon: readonly (readonly [number, number])[], x: number, y: number, margin: number): boolean {
  let inside = false;
  let [px, py] = polygon[polygon.length - 1];
  for (const [qx, qy] of polygon) {
    if (py > y !== qy > y && x < ((qx - px) * (y - py)) / (qy - py) + px) inside = !inside;
    const ex = qx - px;
    const ey = qy - py;
    const t = Math.max(0, Math.min(1, ((x - px) * ex + (y - py) * ey) / (ex * ex + ey * ey || 1)));
    const dx = x - px - t * ex;
    const dy = y - py - t * ey;
    if (dx * dx + dy * dy < margin * margin) return false;
    px = qx;
    py = qy;
  }
  return inside;
}
