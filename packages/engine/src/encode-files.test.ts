import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readExample } from '../test/example-portrait.ts';
import { validateGlb } from '../test/validate-glb.ts';
import { createEngine } from './create-engine.ts';
import { encodeFiles, OUTPUT_FORMATS, type OutputFormat } from './encode-files.ts';
import type { Reconstruction } from './reconstruction.ts';

let made: Reconstruction;
beforeAll(async () => {
  const engine = await createEngine();
  made = await engine.reconstruct(await readExample());
  // What was made outlives its engine.
  await engine.close();
}, 60_000);

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('encodeFiles', () => {
  it.each<[formats: OutputFormat[] | undefined, names: string[]]>([
    [undefined, ['face.glb', 'report.json']],
    [[], ['report.json']],
    [['json'], ['camera.json', 'landmarks.json', 'report.json']],
    [['preview'], ['preview.png', 'report.json']],
  ])('writes what is asked for, and the report: %o', async (formats, names) => {
    const files = await encodeFiles(made, formats === undefined ? {} : { formats });
    expect([...files.keys()].sort()).toEqual(names);
  });

  it('writes everything of the example within the size budgets, and the report lists it', async () => {
    const files = await encodeFiles(made, { formats: OUTPUT_FORMATS });
    const report = JSON.parse(text(files.get('report.json')!)) as { files: { name: string; bytes: number; sha256: string }[] };
    const others = [...files].filter(([name]) => name !== 'report.json');
    expect(report.files.map((f) => f.name).sort()).toEqual(others.map(([name]) => name).sort());
    for (const [name, bytes] of others) {
      const listed = report.files.find((f) => f.name === name)!;
      expect([listed.bytes, listed.sha256], name).toEqual([bytes.length, createHash('sha256').update(bytes).digest('hex')]);
    }

    const glb = files.get('face.glb')!;
    expect((await validateGlb(glb)).faults).toEqual([]);
    // Budgets of the product, for 1024 texels.
    expect(glb.length).toBeLessThan(6e6);
    const compact = (await encodeFiles(made, { compact: true })).get('face.glb')!;
    expect((await validateGlb(compact)).faults).toEqual([]);
    expect(compact.length).toBeLessThan(1.5e6);

    // The OBJ names a material file that is there, and that names pictures that are there and are pictures.
    const materials = /^mtllib (.+)$/m.exec(text(files.get('face.obj')!))![1]!;
    const pictures = [...text(files.get(materials)!).matchAll(/^map_\w+ (.+)$/gm)].map((m) => m[1]!);
    expect(pictures).toContain('albedo.png');
    for (const name of pictures) expect((await sharp(files.get(name)!).metadata()).format, name).toBe('png');
    const { width, height } = await sharp(files.get('albedo.png')!).metadata();
    expect([width, height]).toEqual([1024, 1024]);
  });

  it('brings the pictures with an OBJ, as its materials name them', async () => {
    const files = await encodeFiles(made, { formats: ['obj'] });
    expect([...files.keys()]).toEqual(expect.arrayContaining(['face.obj', 'face.mtl', 'albedo.png']));
    expect(files.has('face.glb')).toBe(false);
  });

  it('refuses a format that it does not have', async () => {
    const formats = ['glb', 'fbx'] as unknown as OutputFormat[];
    await expect(encodeFiles(made, { formats })).rejects.toMatchObject({ code: 'FW_ARG_INVALID', params: { actual: 'fbx' } });
  });

  it.each(['glb', 'obj'] as const)('refuses numbers that are not finite: %s', async (format) => {
    const positions = made.face.positions.slice();
    positions[3000] = Number.NaN;
    const neutralPositions = made.face.neutralPositions.slice();
    neutralPositions[3000] = Number.NaN;
    const translation = Float64Array.of(0, Number.POSITIVE_INFINITY, 0);
    const face = { ...made.face, positions, neutralPositions, pose: { ...made.face.pose, translation } };
    await expect(encodeFiles({ ...made, face }, { formats: [format] })).rejects.toMatchObject({ code: 'FW_FIT_FAILED' });
  });
});
