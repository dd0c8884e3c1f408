import { rotationFromAngles } from '../../packages/engine/src/camera/pose-angles.ts';
import type { Raster } from '../../packages/engine/src/photo/raster.ts';
import { renderMesh } from '../../packages/engine/src/render/render-mesh.ts';
import type { Scan } from './read-scan.ts';

/** Side of the picture, pixels. */
export const SIDE_PX = 1024;
/** The face takes about 45 % of the picture. The engine is not told. */
const FOCAL_PX = 2500;
/** From the pinhole to the point between the eyes. */
const DISTANCE_MM = 900;
/** Lifts the head so that the middle of the face is the middle of the picture. */
const RAISE_MM = 25;

/**
 * A portrait of a scan: perspective, its own colours, one soft light from the upper left and much ambient light, plain background.
 */
export function renderScan(scan: Scan, yawDeg: number): Raster {
  return renderMesh({
    mesh: {
      positions: scan.positions,
      triangles: scan.triangles,
      uvs: scan.uvs,
      triangleUvs: scan.triangleUvs,
      parts: [{ name: 'head', material: 'skin', firstTriangle: 0, triangleCount: scan.triangles.length / 3 }],
    },
    surfaces: [
      {
        name: 'head',
        materials: ['skin'],
        albedo: { name: 'albedo', channels: 3, ...scan.texture },
        baseColor: [1, 1, 1, 1],
        roughness: 1,
        alphaMode: 'OPAQUE',
        doubleSided: true,
      },
    ],
    camera: {
      focalPx: FOCAL_PX,
      centerX: SIDE_PX / 2,
      centerY: SIDE_PX / 2,
      rotation: rotationFromAngles(yawDeg, 0, 0),
      translation: [0, -RAISE_MM, DISTANCE_MM],
    },
    size: { width: SIDE_PX, height: SIDE_PX },
    light: { lights: [{ toLight: [-0.35, -0.45, -0.8], rgb: [0.55, 0.55, 0.55] }], sky: [0.55, 0.55, 0.55], ground: [0.45, 0.45, 0.45] },
    background: { top: [190, 190, 190], bottom: [190, 190, 190] },
  });
}
