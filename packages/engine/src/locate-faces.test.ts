import { describe, expect, it } from 'vitest';
import { growRect, locateFaces, MIN_DETECTION_SCORE, measureFace, OVERVIEW_LONG_SIDE_PX, photoFromViewRect } from './locate-faces.ts';
import type { FaceDetection, FaceNetworks } from './nets/face-networks.ts';
import { readCanonicalMesh } from './nets/read-canonical-mesh.ts';
import type { Photo, Rect } from './photo/photo.ts';

/** A photo without pixels that records what is decoded of it. */
function createPhoto(width: number, height: number): { photo: Photo; decoded: { region: Rect; longSidePx: number }[] } {
  const decoded: { region: Rect; longSidePx: number }[] = [];
  const decode: Photo['decode'] = async ({ region = { x: 0, y: 0, width, height }, longSidePx = Math.max(width, height) }) => {
    decoded.push({ region, longSidePx });
    const scale = Math.max(1, Math.max(region.width, region.height) / longSidePx);
    const raster = { width: Math.round(region.width / scale), height: Math.round(region.height / scale), rgb: new Uint8Array(0) };
    return { raster, x: region.x, y: region.y, scaleX: region.width / raster.width, scaleY: region.height / raster.height };
  };
  return { photo: { width, height, decode } as Photo, decoded };
}

function createDetection(x: number, y: number, size: number, score: number): FaceDetection {
  const keypoints = Float64Array.from([0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.5, 0.8, 0.1, 0.5, 0.9, 0.5], (v, i) => (i % 2 ? y : x) + v * size);
  return { score, box: { x, y, width: size, height: size }, keypoints, quarterTurns: 0 };
}

/** Networks that see what they are told to, and landmarks on a grid over the box of the detection. */
function createNetworks(see: (raster: { width: number }) => FaceDetection[]) {
  const looks: { passes: number; region: number }[] = [];
  const networks = {
    detectFaces: async (raster: { width: number }) => see(raster),
    findLandmarks: async (_: unknown, { box }: FaceDetection, { passes = 1 }: { passes?: number } = {}) => {
      looks.push({ passes, region: box.width });
      const points = new Float64Array(3 * 478);
      for (let k = 0; k < 478; k++) {
        points[3 * k] = box.x + box.width * ((k % 22) / 22);
        points[3 * k + 1] = box.y + box.height * (Math.floor(k / 22) / 22);
        points[3 * k + 2] = box.width * 0.1;
      }
      const region = { centerX: box.x + box.width / 2, centerY: box.y + box.height / 2, sizePx: 1.5 * box.width, rotationRad: 0.1 };
      return { points, presence: 0.99, region };
    },
  };
  return { networks: networks as unknown as FaceNetworks, looks };
}

describe('rectangles', () => {
  it('go from a view to the photo', () => {
    const view = { raster: { width: 10, height: 10, rgb: new Uint8Array(0) }, x: 100, y: 50, scaleX: 2, scaleY: 3 };
    expect(photoFromViewRect(view, { x: 1, y: 2, width: 4, height: 5 })).toEqual({ x: 102, y: 56, width: 8, height: 15 });
  });
  it('grow by their longer side, and not beyond the photo', () => {
    const photo = { width: 1000, height: 800 };
    expect(growRect({ x: 400, y: 300, width: 100, height: 50 }, 0.5, photo)).toEqual({ x: 350, y: 250, width: 200, height: 150 });
    expect(growRect({ x: -20, y: 700, width: 100, height: 100 }, 1, photo)).toEqual({ x: 0, y: 600, width: 180, height: 200 });
    // Whole pixels, outward.
    expect(growRect({ x: 10.4, y: 10.6, width: 10, height: 10 }, 0.1, photo)).toEqual({ x: 9, y: 9, width: 13, height: 13 });
  });
});

describe('locateFaces', () => {
  const everyFace = false;

  it('lists the believed faces, the largest first, in photo coordinates', async () => {
    const { photo } = createPhoto(2 * OVERVIEW_LONG_SIDE_PX, 1000);
    const view = await photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX });
    const seen = [
      createDetection(10, 10, 50, 0.9),
      createDetection(200, 100, 120, 0.8),
      createDetection(500, 400, 300, MIN_DETECTION_SCORE - 0.01),
    ];
    const { networks } = createNetworks(() => seen);
    const { choices, detections } = await locateFaces(networks, photo, view, { everyFace });
    expect(choices.map((c) => [c.index, c.box.x, c.box.width, c.score])).toEqual([
      [1, 400, 240, 0.8],
      [2, 20, 100, 0.9],
    ]);
    expect(detections).toEqual([seen[1], seen[0]]);
  });

  it('searches a large photo once more in detail where the overview shows no face, and a small one not', async () => {
    const { photo, decoded } = createPhoto(4 * OVERVIEW_LONG_SIDE_PX, 4000);
    const overview = await photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX });
    const { networks } = createNetworks((raster) =>
      raster.width > 2000 ? [createDetection(100, 100, 60, 0.9)] : [createDetection(50, 50, 30, 0.6)],
    );
    const { choices, view } = await locateFaces(networks, photo, overview, { everyFace });
    expect(view.raster.width).toBe(2 * OVERVIEW_LONG_SIDE_PX);
    expect(choices[0]!.box).toEqual({ x: 200, y: 200, width: 120, height: 120 });
    expect(decoded).toHaveLength(2);

    const small = createPhoto(1.1 * OVERVIEW_LONG_SIDE_PX, 1000);
    const whole = await small.photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX });
    await expect(locateFaces(networks, small.photo, whole, { everyFace })).rejects.toMatchObject({
      code: 'FW_FACE_NOT_FOUND',
      params: { candidates: 1, bestScore: 0.6 },
    });
    expect(small.decoded).toHaveLength(1);
  });
});

describe('measureFace', () => {
  it('reads a small face of a large photo from a closer view, and gives its landmarks in photo coordinates', async () => {
    const mesh = await readCanonicalMesh();
    const { photo, decoded } = createPhoto(4 * OVERVIEW_LONG_SIDE_PX, 4000);
    const overview = await photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX });
    const { networks, looks } = createNetworks(() => [createDetection(300, 200, 50, 0.95)]);
    const located = await locateFaces(networks, photo, overview, { everyFace: false });
    const { landmarks, view, detection, viewLandmarks } = await measureFace(networks, mesh, located, 0);
    expect(decoded).toHaveLength(2);
    // The whole region of 1.5 boxes around the face, with at least the 192 pixels that the network reads.
    expect(view.x).toBeLessThanOrEqual(1150);
    expect(view.y).toBeLessThanOrEqual(750);
    expect(view.x + view.raster.width * view.scaleX).toBeGreaterThanOrEqual(1450);
    expect(1.5 * detection.box.width).toBeGreaterThanOrEqual(191);
    // The box was 1200..1400 x 800..1000 in the photo; landmark 0 is its corner, landmark 11 half way along its upper side.
    expect(landmarks.points[0]).toBeCloseTo(1200, 6);
    expect(landmarks.points[1]).toBeCloseTo(800, 6);
    expect(landmarks.points[33]).toBeCloseTo(1300, 6);
    expect(landmarks.points[2]).toBeCloseTo(20, 6);
    expect(landmarks.region.centerX).toBeCloseTo(1300, 6);
    expect(landmarks.region.sizePx).toBeCloseTo(300, 6);
    expect(landmarks.region.rotationRad).toBe(0.1);
    // What the view holds stays in its own coordinates.
    expect(viewLandmarks.points[0]).toBeCloseTo(detection.box.x, 9);
    // A grid is no face: its halves differ, so it is looked at twice.
    expect(looks.map((l) => l.passes)).toEqual([1, 2]);
  });

  it('reads a face that is large enough from the view at hand', async () => {
    const { photo, decoded } = createPhoto(4 * OVERVIEW_LONG_SIDE_PX, 4000);
    const overview = await photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX });
    const { networks } = createNetworks(() => [createDetection(300, 200, 130, 0.95)]);
    const located = await locateFaces(networks, photo, overview, { everyFace: false });
    const { view } = await measureFace(networks, await readCanonicalMesh(), located, 0);
    expect(view).toBe(overview);
    expect(decoded).toHaveLength(1);
  });
});
