import type { FaceChoice } from '@facewright/protocol';
import { describe, expect, it } from 'vitest';
import { chooseFace } from './choose-face.ts';

const face = (index: number, width: number): FaceChoice => ({ index, box: { x: 0, y: 0, width, height: width }, score: 0.9 });

describe('chooseFace', () => {
  it('takes the only face without a word', () => {
    expect(chooseFace([face(1, 100)], 'only')).toEqual({ position: 0, warnings: [] });
  });
  it('takes the large one of two and says so when the other is a bystander', () => {
    const { position, warnings } = chooseFace([face(1, 100), face(2, 40)], 'only');
    expect(position).toBe(0);
    expect(warnings.map((w) => w.code)).toEqual(['FACE_SEVERAL']);
  });
  it('refuses to guess between faces of similar size and lists them', () => {
    const faces = [face(1, 100), face(2, 60), face(3, 20)];
    expect(() => chooseFace(faces, 'only')).toThrow(
      expect.objectContaining({ code: 'FW_FACE_SEVERAL', params: { faces: faces.slice(0, 2) } }),
    );
    expect(chooseFace(faces, 'largest').position).toBe(0);
    expect(chooseFace(faces, 3).position).toBe(2);
  });
  it.each([0, 4, 1.5, -1, Number.NaN])('refuses face %s of three', (wanted) => {
    expect(() => chooseFace([face(1, 3), face(2, 2), face(3, 1)], wanted)).toThrow(expect.objectContaining({ code: 'FW_FACE_INDEX' }));
  });
  it('does not take an unknown word for one of its own', () => {
    expect(() => chooseFace([face(1, 100)], 'first' as 'largest')).toThrow(expect.objectContaining({ code: 'FW_ARG_INVALID' }));
  });
});
