import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, pngChunk } from '../../test/photo-fixtures.ts';
import { type ColorProfile, convertToSrgb, readColorProfile } from './color-profile.ts';

/** ICC profile as libvips embeds it. */
async function createProfile(name: 'srgb' | 'p3'): Promise<Uint8Array> {
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: 'gray' } }).withIccProfile(name);
  const { icc } = await sharp(await image.png().toBuffer()).metadata();
  return new Uint8Array(icc!);
}

/** A profile of our own: sRGB's primaries (ICC's own sRGB profile, D50), one tone curve for all channels. */
function createMatrixProfile(curve: Uint8Array, columns = SRGB_COLUMNS): Uint8Array {
  const tags: [name: string, data: Uint8Array][] = [
    ...['rXYZ', 'gXYZ', 'bXYZ'].map((name, i): [string, Uint8Array] => [name, createXyz(columns[i])]),
    ...['rTRC', 'gTRC', 'bTRC'].map((name): [string, Uint8Array] => [name, curve]),
  ];
  const start = 132 + 12 * tags.length;
  const bytes = new Uint8Array(start + tags.reduce((n, [, data]) => n + data.length, 0));
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  view.setUint32(0, bytes.length);
  put(12, 'mntr');
  put(16, 'RGB ');
  put(20, 'XYZ ');
  put(36, 'acsp');
  view.setUint32(128, tags.length);
  let offset = start;
  for (const [i, [name, data]] of tags.entries()) {
    put(132 + 12 * i, name);
    view.setUint32(136 + 12 * i, offset);
    view.setUint32(140 + 12 * i, data.length);
    bytes.set(data, offset);
    offset += data.length;
  }
  return bytes;
}

const SRGB_COLUMNS = [
  [0.43607, 0.22249, 0.01392],
  [0.38515, 0.71687, 0.09708],
  [0.14307, 0.06061, 0.7141],
];

function createXyz(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint32(0, 0x58595a20);
  for (const [i, v] of values.entries()) view.setInt32(8 + 4 * i, Math.round(65536 * v));
  return new Uint8Array(view.buffer);
}

function createParametricCurve(kind: number, values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(12 + 4 * values.length));
  view.setUint32(0, 0x70617261);
  view.setUint16(8, kind);
  for (const [i, v] of values.entries()) view.setInt32(12 + 4 * i, Math.round(65536 * v));
  return new Uint8Array(view.buffer);
}

function createTableCurve(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(12 + 2 * values.length));
  view.setUint32(0, 0x63757276);
  view.setUint32(8, values.length);
  for (const [i, v] of values.entries()) view.setUint16(12 + 2 * i, v);
  return new Uint8Array(view.buffer);
}

function convert(profile: ColorProfile, ...rgb: number[]): number[] {
  if (profile.kind !== 'matrix') throw new Error(`not a matrix profile but ${profile.kind}`);
  const bytes = Uint8Array.from(rgb);
  convertToSrgb(bytes, profile.conversion);
  return [...bytes];
}

const SRGB_CURVE = createParametricCurve(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]);

describe('readColorProfile', () => {
  let srgb: Uint8Array;
  let p3: Uint8Array;

  beforeAll(async () => {
    srgb = await createProfile('srgb');
    p3 = await createProfile('p3');
  });

  it('knows sRGB in its usual forms', () => {
    expect(readColorProfile(srgb, 3)).toEqual({ kind: 'srgb' });
    expect(readColorProfile(createMatrixProfile(SRGB_CURVE), 3)).toEqual({ kind: 'srgb' });
    const table = Array.from({ length: 1024 }, (_, i) => {
      const v = i / 1023;
      return Math.round(65535 * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    });
    expect(readColorProfile(createMatrixProfile(createTableCurve(table)), 3)).toEqual({ kind: 'srgb' });
  });

  it('converts gamma curves as the formula says', () => {
    for (const curve of [createTableCurve([1.8 * 256]), createParametricCurve(0, [1.8])]) {
      const profile = readColorProfile(createMatrixProfile(curve), 3);
      for (const v of [0, 1, 17, 60, 128, 200, 255]) {
        const linear = (v / 255) ** 1.8;
        const expected = 255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055);
        // Half a level of rounding, and half a step of the encoding table at black (0.2 levels).
        for (const got of convert(profile, v, v, v)) expect(Math.abs(got - expected)).toBeLessThanOrEqual(0.75);
      }
    }
  });

  it('swaps channels where the primaries are swapped', () => {
    const [r, g, b] = SRGB_COLUMNS;
    const swapped = convert(readColorProfile(createMatrixProfile(SRGB_CURVE, [g, r, b]), 3), 200, 30, 90);
    // The matrix in the profile has 16 bits.
    for (const [i, wanted] of [30, 200, 90].entries()) expect(Math.abs(swapped[i] - wanted)).toBeLessThanOrEqual(1);
  });

  it('converts Display P3 as Little CMS does', async () => {
    const profile = readColorProfile(p3, 3);
    const lattice: number[] = [];
    for (let r = 0; r < 256; r += 51) for (let g = 0; g < 256; g += 51) for (let b = 0; b < 256; b += 51) lattice.push(r, g, b);
    const raw = { width: lattice.length / 3, height: 1, channels: 3 as const };
    // Pixels that are P3 as they are: the profile of another picture, put before them.
    const png = await sharp(Uint8Array.from(lattice), { raw }).png().toBuffer();
    const tagged = tagPng(png, p3);
    const reference = await sharp(tagged).raw().toBuffer();
    const ours = convert(profile, ...lattice);
    const worst = Math.max(...ours.map((v, i) => Math.abs(v - reference[i])));
    // Little CMS computes 8-bit matrix profiles in fixed point with 14 bits.
    expect(worst).toBeLessThanOrEqual(1);
  });

  it.each([
    ['too short', (p: Uint8Array) => p.slice(0, 100)],
    ['no profile signature', (p: Uint8Array) => p.slice().fill(0, 36, 40)],
    ['cut off', (p: Uint8Array) => p.slice(0, p.length - 4)],
    ['unknown colour space "XXXX"', (p: Uint8Array) => p.slice().fill(0x58, 16, 20)],
    ['damaged tag table', (p: Uint8Array) => p.slice().fill(0xff, 128, 132)],
    ['damaged tag 1', (p: Uint8Array) => p.slice().fill(0xff, 136, 140)],
  ])('says what is wrong with a broken profile: %s', (reason, damage) => {
    expect(readColorProfile(damage(srgb), 3)).toEqual({ kind: 'broken', reason });
  });

  it('refuses a profile for another number of channels', () => {
    expect(readColorProfile(srgb, 4)).toEqual({ kind: 'broken', reason: 'made for 3 channels, the photo has 4' });
  });

  it('survives any damage', () => {
    let state = 1;
    const random = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let i = 0; i < 300; i++) {
      const bytes = p3.slice();
      for (let k = 0; k < 4; k++) bytes[random(bytes.length)] = random(256);
      expect(['srgb', 'matrix', 'other', 'broken']).toContain(readColorProfile(bytes, 3).kind);
    }
  });
});

/** The same PNG with an ICC profile (iCCP chunk after IHDR). */
function tagPng(png: Uint8Array, icc: Uint8Array): Uint8Array {
  const chunk = pngChunk('iCCP', concat([new TextEncoder().encode('p\0\0'), deflateSync(icc)]));
  const headerEnd = 8 + 25;
  return concat([png.subarray(0, headerEnd), chunk, png.subarray(headerEnd)]);
}
