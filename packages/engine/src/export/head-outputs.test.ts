import { describe, expect, it } from 'vitest';
import { createSyntheticFace, createSyntheticMaps } from '../../test/synthetic-face.ts';
import { validateGlb } from '../../test/validate-glb.ts';
import type { FittedFace } from '../fit/fitted-face.ts';
import { ARKIT_NAMES } from '../models/arkit-blendshapes.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { composePreview } from './compose-preview.ts';
import { createGlbEncoder, type GlbInput } from './create-glb-encoder.ts';
import { createObjEncoder } from './create-obj-encoder.ts';

const model = await loadFaceModel('head');
const maps = createSyntheticMaps();

/** The mean head in front of the synthetic camera, with some identity and a smile. */
function createFace(): FittedFace {
  const expression = new Float64Array(model.expressionNames.length);
  expression[model.expressionNames.indexOf('mouthSmile_L')] = 0.5;
  const identity = Float64Array.of(1, -0.5, 0.5);
  return {
    ...createSyntheticFace(),
    model,
    identity,
    expression,
    positions: model.evaluate(identity, expression),
    neutralPositions: model.evaluate(identity, []),
  };
}

const input: GlbInput = { face: createFace(), maps, blendshapes: [], photo: { width: 800, height: 600 } };
const encoder = createGlbEncoder(model);

function parseJson(glb: Uint8Array): {
  meshes: { name: string; extras?: { targetNames: string[] } }[];
  nodes: { name: string; translation?: number[] }[];
} {
  const length = new DataView(glb.buffer, glb.byteOffset).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + length)));
}

describe.each([
  // What the budgets (6 MB, 1.5 MB with 1024 px textures) leave for the textures: measured on photos, they take 0.4 to 0.75 MB as
  // JPEG and 0.2 to 0.35 MB as WebP. The synthetic ones here take 30 kB.
  { compact: false, maxBytes: 5.2e6 },
  { compact: true, maxBytes: 1.12e6 },
])('the shipped head as GLB with compact = $compact', ({ compact, maxBytes }) => {
  it('passes Khronos’ validator and leaves room for the textures', async () => {
    const glb = await encoder.encode(input, { compact, version: '1.2.3' });
    expect((await validateGlb(glb)).faults).toEqual([]);
    expect(glb.length).toBeLessThan(maxBytes);
  });

  it('has the 52 ARKit morph targets in Apple’s order, and on each eye the four that turn it', async () => {
    const { meshes } = parseJson(await encoder.encode(input, { compact, version: '1.2.3' }));
    const names = new Map(meshes.map((mesh) => [mesh.name, mesh.extras?.targetNames]));
    expect(names.get('head')).toEqual([...ARKIT_NAMES]);
    for (const side of ['Left', 'Right']) {
      expect(names.get(`eye${side}`)?.toSorted()).toEqual(['Down', 'In', 'Out', 'Up'].map((way) => `eyeLook${way}${side}`));
    }
  });

  it('turns the eyes about points that lie where the eyes of this head are', async () => {
    const { nodes } = parseJson(await encoder.encode(input, { compact, version: '1.2.3' }));
    const [left, right] = ['eyeLeft', 'eyeRight'].map((name) => nodes.find((node) => node.name === name)!.translation!) as [
      number[],
      number[],
    ];
    // Human eyes are 52 to 78 mm apart; this person is within a standard deviation of the mean.
    expect(left[0]! - right[0]!).toBeGreaterThan(0.052);
    expect(left[0]! - right[0]!).toBeLessThan(0.078);
    expect(Math.abs(left[1]! - right[1]!)).toBeLessThan(0.001);
  });
});

describe('the shipped head', () => {
  it('goes out as OBJ with upstream’s quads', () => {
    const [obj] = createObjEncoder(model).encode({ face: input.face, maps }, { version: '1.2.3' });
    const corners = new TextDecoder()
      .decode(obj!.bytes)
      .split('\n')
      .filter((line) => line.startsWith('f '))
      .map((line) => line.split(' ').length - 1);
    // Polygons of ICT-FaceKit light's generic_neutral_mesh.obj.
    expect(corners.filter((n) => n === 4)).toHaveLength(25836);
    expect(corners.filter((n) => n === 3)).toHaveLength(548);
  });

  it('is previewed', async () => {
    const view = { raster: { width: 80, height: 60, rgb: new Uint8Array(80 * 60 * 3) }, x: 0, y: 0, scaleX: 10, scaleY: 10 };
    const png = await composePreview({ face: input.face, maps, view }, { height: 100 });
    expect(Array.from(png.subarray(1, 4))).toEqual([0x50, 0x4e, 0x47]);
  });
});
