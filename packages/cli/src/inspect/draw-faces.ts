import type { FoundFaces } from '../engine-port.ts';

type FoundFace = FoundFaces['faces'][number];

import { drawNumber, numberWidthPx } from './digit-paths.ts';
import { FACE_CONTOURS, IRISES, MESH_POINTS, NOSE_TIP } from './face-contours.ts';

const COLOR = {
  box: '#35c7ff',
  refused: '#ff4d4d',
  line: '#ffffff',
  dot: '#35c7ff',
  x: '#ff4d4d',
  y: '#42d65c',
  z: '#4d7dff',
  badgeText: '#10202b',
};

/** Axes of the head relative to the width of its box. */
const AXIS_RATIO = 0.55;

/**
 * Draws what was found as an SVG of the size of the photo's view: boxes, numbers, landmarks, axes of the head. Only shapes, no text.
 *
 * Frame of the output: pixels of `found.view.raster`; coordinates that come in are pixels of the full-size photo.
 */
export function drawFaces(found: Pick<FoundFaces, 'faces' | 'view'>): string {
  const { width, height } = found.view.raster;
  // Lines keep their look whatever the size of the picture; faces of a crowd get finer ones.
  const unitPx = Math.max(width, height) / 1000;
  // Largest face on top, and every number above all lines.
  const sorted = [...found.faces].sort((a, b) => b.index - a.index);
  const faces = [...sorted.map((face) => drawFace(face, found.view, unitPx)), ...sorted.map((face) => drawBadge(face, found.view, unitPx))];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${faces.join('')}</svg>`;
}

function drawFace(face: FoundFace, view: FoundFaces['view'], unitPx: number): string {
  const toX = (x: number): number => (x - view.x) / view.scaleX;
  const toY = (y: number): number => (y - view.y) / view.scaleY;
  const { points } = face.landmarks;
  const point = (index: number): [number, number] => [toX(points[3 * index]!), toY(points[3 * index + 1]!)];
  const box = { x: toX(face.box.x), y: toY(face.box.y), width: face.box.width / view.scaleX, height: face.box.height / view.scaleY };
  const color = face.refusal === null ? COLOR.box : COLOR.refused;
  // Thin on small faces, so that the face stays visible.
  const linePx = Math.max(0.6, Math.min(1.6 * unitPx, box.width / 150));

  const parts: string[] = [];
  const contours =
    FACE_CONTOURS.map(({ closed, points: ids }) => pathOf(ids.map(point), closed)).join('') +
    IRISES.map((iris) => irisPath(iris, point)).join('');
  parts.push(stroke(contours, '#000000', 2.4 * linePx, 0.35), stroke(contours, COLOR.line, linePx, 0.85));
  const radius = (0.75 * linePx).toFixed(2);
  let dots = '';
  for (let i = 0; i < MESH_POINTS; i++) {
    const [x, y] = point(i);
    dots += `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}"/>`;
  }
  parts.push(
    `<g fill="${COLOR.dot}" fill-opacity="0.9">${dots}</g>`,
    drawAxes(face, point(NOSE_TIP), AXIS_RATIO * box.width, 2.2 * linePx),
  );

  const boxPath = `M${box.x.toFixed(1)} ${box.y.toFixed(1)}h${box.width.toFixed(1)}v${box.height.toFixed(1)}h${(-box.width).toFixed(1)}Z`;
  const boxPx = Math.max(1.2, 2 * unitPx);
  parts.push(stroke(boxPath, '#000000', 2 * boxPx, 0.3), stroke(boxPath, color, boxPx, 1));
  return `<g>${parts.join('')}</g>`;
}

/** The head's axes from the tip of the nose, drawn without perspective; what points to the viewer is drawn last. */
function drawAxes(face: FoundFace, [x, y]: [number, number], lengthPx: number, linePx: number): string {
  // Columns of cameraFromModel: where the model's x (the person's left), y (up) and z (out of the face) point; camera y is down, as in the picture.
  const r = face.pose.rotation;
  const axes = [COLOR.x, COLOR.y, COLOR.z].map((color, k) => ({ color, dx: r[k]!, dy: r[3 + k]!, depth: r[6 + k]! }));
  axes.sort((a, b) => b.depth - a.depth);
  return axes
    .map(({ color, dx, dy }) => {
      const path = `M${x.toFixed(1)} ${y.toFixed(1)}L${(x + lengthPx * dx).toFixed(1)} ${(y + lengthPx * dy).toFixed(1)}`;
      const end = `<circle cx="${(x + lengthPx * dx).toFixed(1)}" cy="${(y + lengthPx * dy).toFixed(1)}" r="${(1.5 * linePx).toFixed(1)}" fill="${color}"/>`;
      return stroke(path, '#000000', 2 * linePx, 0.4) + stroke(path, color, linePx, 1) + end;
    })
    .join('');
}

/** The number of a face on a plate above its box, or inside where there is no room above. */
function drawBadge({ index, box, refusal }: FoundFace, view: FoundFaces['view'], unitPx: number): string {
  const heightPx = Math.max(11, Math.min(26 * unitPx, box.width / view.scaleX / 3));
  const digitsPx = 0.62 * heightPx;
  const padPx = 0.32 * heightPx;
  const widthPx = numberWidthPx(index, digitsPx) + 2 * padPx;
  const left = Math.max(0, (box.x - view.x) / view.scaleX);
  const boxTop = (box.y - view.y) / view.scaleY;
  const top = boxTop - heightPx >= 0 ? boxTop - heightPx : Math.max(0, boxTop);
  const color = refusal === null ? COLOR.box : COLOR.refused;
  const plate = `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${widthPx.toFixed(1)}" height="${heightPx.toFixed(1)}" fill="${color}"/>`;
  return plate + drawNumber(index, left + padPx, top + (heightPx - digitsPx) / 2, digitsPx, COLOR.badgeText);
}

/** Circle around an iris: its centre, and the mean distance of the four points on its rim. */
function irisPath({ center, rim }: (typeof IRISES)[number], point: (index: number) => [number, number]): string {
  const [x, y] = point(center);
  const radius = rim.reduce((sum, id) => sum + Math.hypot(point(id)[0] - x, point(id)[1] - y), 0) / rim.length;
  const r = radius.toFixed(1);
  return `M${(x - radius).toFixed(1)} ${y.toFixed(1)}a${r} ${r} 0 1 0 ${(2 * radius).toFixed(1)} 0a${r} ${r} 0 1 0 ${(-2 * radius).toFixed(1)} 0Z`;
}

function pathOf(points: readonly (readonly [number, number])[], closed: boolean): string {
  return `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}${closed ? 'Z' : ''}`;
}

function stroke(path: string, color: string, widthPx: number, opacity: number): string {
  const round = 'stroke-linejoin="round" stroke-linecap="round"';
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${widthPx.toFixed(2)}" stroke-opacity="${opacity}" ${round}/>`;
}
