import { expect, it } from 'vitest';
import { parseObj, parseObjPositions } from './parse-obj.ts';

const OBJ = Buffer.from(
  `# comment with v 1 2 3\nmtllib x.mtl\nv 0 -2.48251 11.8387\nv 7.11371 0.922571 -8.01496e-05\nv -0.000012 123456.789012 1e3\nvt 0.480491 0.185494\nvt 6.5 1\nvt 0 0\nvt 1 1\nusemtl M_Face\nf 1/1 2/2 3/3\nusemtl M_B\nf 3/4/9 2/2/9 1/1/9 2/3/9\n`,
);

it('numbers are read as Number reads them, exponents included', () => {
  expect(Array.from(parseObjPositions(OBJ))).toEqual([
    0, -2.48251, 11.8387, 7.11371, 0.922571, -8.01496e-5, -0.000012, 123456.789012, 1000,
  ]);
});

it('polygons keep their corners, UVs and material', () => {
  const mesh = parseObj(OBJ);
  expect(mesh.polygons).toEqual([
    { vertices: [0, 1, 2], uvs: [0, 1, 2], material: 'M_Face' },
    { vertices: [2, 1, 0, 1], uvs: [3, 1, 0, 2], material: 'M_B' },
  ]);
  expect(Array.from(mesh.uvs)).toEqual([0.480491, 0.185494, 6.5, 1, 0, 0, 1, 1]);
});
