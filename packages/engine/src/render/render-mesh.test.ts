import { describe, expect, it } from 'vitest';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import { createViewCamera, type RenderCamera } from './create-view-camera.ts';
import { createTextureCache, reduceTexture } from './reduce-texture.ts';
import type { RenderLight } from './render-light.ts';
import { type RenderableMesh, renderMesh } from './render-mesh.ts';
import { encodeSrgb } from './srgb.ts';

/** A square in the plane z = `z`, `half` mm from the axis to its sides, that faces the viewer; two triangles. */
function createSquare(half: number, z: number): RenderableMesh {
  return {
    positions: new Float32Array([-half, half, z, -half, -half, z, half, -half, z, half, half, z]),
    triangles: new Uint32Array([0, 1, 2, 0, 2, 3]),
    uvs: new Float32Array([0, 0, 0, 1, 1, 1, 1, 0]),
    triangleUvs: new Uint32Array([0, 1, 2, 0, 2, 3]),
    parts: [{ name: 'square', material: 'skin', firstTriangle: 0, triangleCount: 2 }] as unknown as RenderableMesh['parts'],
  };
}

const surface = (change: Partial<SurfaceMaterial> = {}): SurfaceMaterial => ({
  name: 'skin',
  materials: ['skin'],
  albedo: null,
  baseColor: [0.5, 0.25, 0.125, 1],
  roughness: 0.5,
  alphaMode: 'OPAQUE',
  doubleSided: false,
  ...change,
});

/** Light that leaves every surface as it is: no lamps, white from everywhere. */
const EVEN: RenderLight = { lights: [], sky: [1, 1, 1], ground: [1, 1, 1] };
const BLACK = { top: [0, 0, 0], bottom: [0, 0, 0] } as const;

/** Looks along -z from 100 mm; 1 px = 1 mm at z = 0 in a picture of 64 px. */
const camera: RenderCamera = {
  focalPx: 100,
  centerX: 32,
  centerY: 32,
  rotation: [1, 0, 0, 0, -1, 0, 0, 0, -1],
  translation: [0, 0, 100],
};
const size = { width: 64, height: 64 };
const pixel = (rgb: Uint8Array, x: number, y: number): number[] => [...rgb.subarray(3 * (y * 64 + x), 3 * (y * 64 + x) + 3)];

describe('renderMesh', () => {
  it('paints the base colour where the surface is, and the background elsewhere', () => {
    const { rgb } = renderMesh({ mesh: createSquare(10, 0), surfaces: [surface()], camera, size, light: EVEN, background: BLACK });
    const color = [encodeSrgb(0.5), encodeSrgb(0.25), encodeSrgb(0.125)];
    let painted = 0;
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) {
        const inside = x >= 22 && x < 42 && y >= 22 && y < 42;
        expect(pixel(rgb, x, y)).toEqual(inside ? color : [0, 0, 0]);
        if (inside) painted++;
      }
    }
    expect(painted).toBe(400);
  });

  it('smooths an outline by the share of the pixel that it covers', () => {
    // The sides at 10.25 mm cover a quarter of the pixels next to them: one of four samples.
    const mesh = createSquare(10.25, 0);
    const white = surface({ baseColor: [1, 1, 1, 1] });
    const smooth = renderMesh({ mesh, surfaces: [white], camera, size, light: EVEN, background: BLACK }).rgb;
    const rough = renderMesh({ mesh, surfaces: [white], camera, size, light: EVEN, background: BLACK, antialias: false }).rgb;
    expect(pixel(smooth, 21, 32)).toEqual([encodeSrgb(0.25), encodeSrgb(0.25), encodeSrgb(0.25)]);
    expect(pixel(smooth, 42, 32)).toEqual([encodeSrgb(0.25), encodeSrgb(0.25), encodeSrgb(0.25)]);
    expect(pixel(smooth, 32, 21)).toEqual([encodeSrgb(0.25), encodeSrgb(0.25), encodeSrgb(0.25)]);
    expect(pixel(rough, 21, 32)).toEqual([0, 0, 0]);
    expect(pixel(smooth, 32, 32)).toEqual([255, 255, 255]);
  });

  it('looks up textures with v down and between texels in linear light', () => {
    const data = new Uint8Array([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    const albedo = { name: 'albedo', width: 2, height: 2, channels: 3, data } as const;
    const mesh = createSquare(16, 0);
    const surfaces = [surface({ albedo, baseColor: [1, 1, 1, 1] })];
    const { rgb } = renderMesh({ mesh, surfaces, camera, size, light: EVEN, background: BLACK });
    expect(pixel(rgb, 18, 18)).toEqual([255, 0, 0]);
    expect(pixel(rgb, 45, 18)).toEqual([0, 255, 0]);
    expect(pixel(rgb, 18, 45)).toEqual([0, 0, 255]);
    // On the border of two texels, half a pixel off the middle (1/32 of a texel).
    const [r, g, b] = pixel(rgb, 32, 18) as [number, number, number];
    expect(Math.abs(r - encodeSrgb(0.47))).toBeLessThanOrEqual(2);
    expect(Math.abs(g - encodeSrgb(0.53))).toBeLessThanOrEqual(2);
    expect(b).toBe(0);
  });

  it('shows a texture that is finer than the pixels as its mean, and shares the reduced one between views', () => {
    // A checkerboard of single texels, 32 of them per pixel and side: without reduction it would come out black, white or in stripes.
    const n = 1024;
    const data = new Uint8Array(3 * n * n);
    for (let p = 0; p < n * n; p++) data.fill(((p % n) + Math.floor(p / n)) % 2 === 0 ? 100 : 140, 3 * p, 3 * p + 3);
    const albedo = { name: 'albedo', width: n, height: n, channels: 3, data } as const;
    const surfaces = [surface({ albedo, baseColor: [1, 1, 1, 1] })];
    const textureCache = createTextureCache();
    const options = { mesh: createSquare(16, 0), surfaces, camera, size, light: EVEN, background: BLACK, textureCache };
    const { rgb } = renderMesh(options);
    for (let x = 18; x < 46; x++) expect(pixel(rgb, x, 30)).toEqual([120, 120, 120]);
    const made = textureCache.levels.get(albedo)!.length;
    expect(made).toBe(6);
    expect(renderMesh(options).rgb).toEqual(rgb);
    expect(textureCache.levels.get(albedo)).toHaveLength(made);
  });

  it('lights by the cosine, brightest where the surface faces the lamp, nothing from behind', () => {
    const lit = (toLight: [number, number, number]): number => {
      const light: RenderLight = { lights: [{ toLight, rgb: [0.5, 0.5, 0.5], highlight: false }], sky: [0, 0, 0], ground: [0, 0, 0] };
      const surfaces = [surface({ baseColor: [1, 1, 1, 1] })];
      return pixel(renderMesh({ mesh: createSquare(10, 0), surfaces, camera, size, light, background: BLACK }).rgb, 32, 32)[0]!;
    };
    expect(lit([0, 0, -1])).toBe(encodeSrgb(0.5));
    // At 60 degrees the cosine is 0.5; the light wraps by 0.15 of the radius.
    expect(lit([Math.sqrt(3) / 2, 0, -0.5])).toBe(encodeSrgb((0.5 * (0.5 + 0.15)) / 1.15));
    expect(lit([0, 0, 1])).toBe(0);
  });

  it('puts a highlight where the lamp is mirrored, sharper on smoother surfaces', () => {
    const brightness = (roughness: number, toLight: [number, number, number]): number => {
      const light: RenderLight = { lights: [{ toLight, rgb: [1, 1, 1] }], sky: [0, 0, 0], ground: [0, 0, 0] };
      const surfaces = [surface({ baseColor: [0, 0, 0, 1], roughness })];
      return pixel(renderMesh({ mesh: createSquare(10, 0), surfaces, camera, size, light, background: BLACK }).rgb, 32, 32)[0]!;
    };
    expect(brightness(0.2, [0, 0, -1])).toBeGreaterThan(brightness(0.5, [0, 0, -1]));
    expect(brightness(0.2, [1, 0, -1])).toBeLessThan(brightness(0.5, [1, 0, -1]));
  });

  it('blends transparent surfaces over opaque ones in linear light, hides them behind, and cuts masks', () => {
    const back = createSquare(10, 0);
    const front = createSquare(10, 20);
    const behind = createSquare(10, -20);
    const join = (other: RenderableMesh): RenderableMesh => ({
      positions: new Float32Array([...back.positions, ...other.positions]),
      triangles: new Uint32Array([...back.triangles, ...other.triangles.map((v) => v + 4)]),
      uvs: back.uvs,
      triangleUvs: new Uint32Array([...back.triangleUvs, ...other.triangleUvs]),
      parts: [
        { name: 'a', material: 'skin', firstTriangle: 0, triangleCount: 2 },
        { name: 'b', material: 'lashes', firstTriangle: 2, triangleCount: 2 },
      ] as unknown as RenderableMesh['parts'],
    });
    const white = surface({ baseColor: [1, 1, 1, 1] });
    const veil = (alpha: number, alphaMode: 'BLEND' | 'MASK'): SurfaceMaterial =>
      surface({ materials: ['lashes'], baseColor: [0, 0, 0, alpha], alphaMode });
    const middle = (mesh: RenderableMesh, second: SurfaceMaterial): number =>
      pixel(renderMesh({ mesh, surfaces: [white, second], camera, size, light: EVEN, background: BLACK }).rgb, 32, 32)[0]!;
    expect(middle(join(front), veil(0.25, 'BLEND'))).toBe(encodeSrgb(0.75));
    expect(middle(join(behind), veil(0.25, 'BLEND'))).toBe(255);
    expect(middle(join(front), veil(0.4, 'MASK'))).toBe(255);
    expect(middle(join(front), veil(0.6, 'MASK'))).toBe(0);
  });

  it('shows clay without colours and wires on their triangles, and the same bytes in used memory', () => {
    const mesh = createSquare(20, 0);
    const clay = renderMesh({ mesh, surfaces: [surface({ baseColor: [1, 0, 0, 1] })], camera, size, style: 'clay' }).rgb;
    const [r, g, b] = pixel(clay, 25, 20) as [number, number, number];
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThan(25);
    const wired = renderMesh({ mesh, surfaces: [surface()], camera, size, style: 'wireframe', light: EVEN }).rgb;
    // The diagonal from the upper left to the lower right corner.
    expect(pixel(wired, 30, 30)[0]!).toBeLessThan(pixel(wired, 40, 24)[0]! * 0.75);
    const first = renderMesh({ mesh, surfaces: [surface()], camera, size }).rgb;
    expect(renderMesh({ mesh, surfaces: [surface()], camera, size }).rgb).toEqual(first);
  });
});

describe('reduceTexture', () => {
  it('counts colours by their alpha', () => {
    const data = new Uint8Array([200, 0, 0, 255, 0, 200, 0, 0, 200, 0, 0, 255, 0, 200, 0, 0]);
    const half = reduceTexture({ name: 'lashes', width: 2, height: 2, channels: 4, data }, 1, createTextureCache());
    expect([half.width, half.height]).toEqual([1, 1]);
    expect([...half.data]).toEqual([200, 0, 0, 128]);
  });
});

describe('createViewCamera', () => {
  it('keeps the whole head in the picture from every side, and fills it', () => {
    // A head-sized ellipsoid off the origin, with a nose.
    const points: number[] = [0, -40, 60];
    for (let i = 0; i < 400; i++) {
      const y = 1 - (2 * (i + 0.5)) / 400;
      const r = Math.sqrt(1 - y * y);
      points.push(75 * r * Math.cos(i * 2.4), 120 * y - 20, 95 * r * Math.sin(i * 2.4) - 60);
    }
    const positions = new Float32Array(points);
    for (const yawDeg of [0, 35, -90]) {
      const view = createViewCamera(positions, { width: 400, height: 500, yawDeg, pitchDeg: 5 });
      let low = [1e9, 1e9];
      let high = [-1e9, -1e9];
      for (let i = 0; i < positions.length; i += 3) {
        const c = [0, 1, 2].map(
          (k) =>
            view.rotation[3 * k]! * positions[i]! +
            view.rotation[3 * k + 1]! * positions[i + 1]! +
            view.rotation[3 * k + 2]! * positions[i + 2]! +
            view.translation[k]!,
        );
        const p = [(view.focalPx * c[0]!) / c[2]! + view.centerX, (view.focalPx * c[1]!) / c[2]! + view.centerY];
        low = low.map((v, k) => Math.min(v, p[k]!));
        high = high.map((v, k) => Math.max(v, p[k]!));
      }
      expect(low[0]).toBeGreaterThan(0);
      expect(low[1]).toBeGreaterThan(0);
      expect(high[0]).toBeLessThan(400);
      expect(high[1]).toBeLessThan(500);
      expect(Math.max((high[0]! - low[0]!) / 400, (high[1]! - low[1]!) / 500)).toBeGreaterThan(0.75);
    }
  });

  it('turns the face to the right of the picture for positive yaw', () => {
    const view = createViewCamera(new Float32Array([-50, -80, -50, 50, 80, 50]), { width: 100, height: 100, yawDeg: 30 });
    // Where the model's z axis (out of the face) points on the screen.
    expect(view.rotation[2]).toBeCloseTo(0.5, 9);
  });
});
