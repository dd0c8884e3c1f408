import type { LandmarksOutput, ResultFile } from '@facewright/protocol';
import { expect, it, vi } from 'vitest';
import { chooseWindow } from '../viewer/photo-window.ts';
import { measureFace } from './face-size.ts';

it('measures distances on the face, or nothing where points are missing', () => {
  const at = (landmark: number, x: number, y: number) => ({ landmark, triangle: 0, barycentric: [1, 0, 0], positionMm: [x, y, 0] });
  const points = [
    at(9, 0, 40),
    at(152, 0, -80),
    at(234, -70, 0),
    at(454, 70, 0),
    at(33, -45, 0),
    at(263, 45, 0),
    at(61, -25, -40),
    at(291, 25, -40),
  ];
  const landmarks = { model: { points } } as unknown as LandmarksOutput;
  expect(measureFace(landmarks)).toEqual({ heightMm: 120, widthMm: 140, eyesMm: 90, mouthMm: 50 });
  expect(measureFace({ model: { points: points.slice(1) } } as unknown as LandmarksOutput)).toBeNull();
});

it('the overlay shows the face with room around it, wherever it lies in the photo', () => {
  const points = [
    [100, 200, 0],
    [300, 500, 0],
  ] as const;
  expect(chooseWindow({ widthPx: 4000, heightPx: 3000 }, points)).toEqual({ x: -125, y: -25, width: 650, height: 682.5 });
  expect(chooseWindow({ widthPx: 40, heightPx: 30 }, null)).toEqual({ x: 0, y: 0, width: 40, height: 30 });
});

it('an OBJ takes its materials and pictures along, and nothing else', async () => {
  // The service's address comes from the page, which there is none of here.
  vi.doMock('../service.ts', () => ({ service: {} }));
  const { selectObjFiles } = await import('./zip-files.ts');
  const files = ['face.glb', 'face.obj', 'face.mtl', 'albedo.png', 'albedo-eyes.png', 'observed.png', 'preview.png'].map(
    (name) => ({ name }) as ResultFile,
  );
  expect(selectObjFiles(files).map(({ name }) => name)).toEqual(['face.obj', 'face.mtl', 'albedo.png', 'albedo-eyes.png']);
  expect(selectObjFiles(files.filter(({ name }) => name !== 'face.obj'))).toEqual([]);
});
