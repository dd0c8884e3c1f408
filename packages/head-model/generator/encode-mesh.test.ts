import { expect, it } from 'vitest';
import { decodeNeutral, decodePolygons, decodePolygonUvs, decodeRows, decodeSequence } from '../src/decode-mesh.ts';
import { NO_CORNER } from '../src/head-model-data.ts';
import { encodeNeutral, encodePolygons, encodePolygonUvs, encodeRows, encodeSequence } from './encode-mesh.ts';

const polygons = Uint32Array.of(5, 4, 0, 1, 900, 2, 5, NO_CORNER, 2, 3, 900, 26000);
const polygonUvs = Uint32Array.of(0, 1, 2, 3, 4, 5, 9, NO_CORNER, 5, 6, 7, 8);

it('polygons and their UV corners come back', () => {
  expect(decodePolygons(encodePolygons(polygons))).toEqual(polygons);
  expect(decodePolygonUvs(polygons, encodePolygonUvs(polygons, polygonUvs), 26001)).toEqual(polygonUvs);
});

it('rows of numbers come back', () => {
  const values = Int32Array.of(480491, 185494, 460421, 186175, 999999, 0, 0, 999999);
  expect(decodeRows(encodeRows(values, 2), 2, 1)).toEqual(Float32Array.from(values));
});

it('sequences come back', () => {
  const values = Uint16Array.of(3, 2, 1, 0, 26718, 26717);
  expect(decodeSequence(encodeSequence(values))).toEqual(values);
});

it('the neutral head comes back; partners that are mirror images cost nothing', () => {
  const order = Uint16Array.of(2, 0, 4, 3);
  const mirrorVertex = Uint16Array.of(1, 0, 2, 4, 3);
  const references = Uint16Array.of(0, 0, 0, 0, 1, 0, 2, 1);
  const steps = Int32Array.of(500, -7, 900, -500, -7, 900, 0, 10, 80000, -120, 3, -4, 121, 3, -4);
  const planes = encodeNeutral(order, mirrorVertex, references, 2, steps);
  expect(decodeNeutral(order, mirrorVertex, references, 2, planes, 1)).toEqual(Float32Array.from(steps));
  expect(Array.from(planes.subarray(6, 9))).toEqual([0, 0, 0]);
});
