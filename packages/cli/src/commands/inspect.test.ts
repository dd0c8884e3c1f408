import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createFolder, listFiles, runCli } from '../../test/run-cli.ts';

describe('facewright inspect', () => {
  it('writes a picture of the size of the photo and prints a table of the faces', async () => {
    const cwd = createFolder({ 'in/two.jpg': 'faces=2 refuse=2' });
    const { status, stdout, stderr } = await runCli(['inspect', 'in/two.jpg'], { cwd });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(listFiles(cwd)).toEqual(['in/two.jpg', 'two.inspect.png']);
    expect(stdout).toContain('200 x 100 png, 2 faces');
    // The width that the bounds are about, as errors and warnings give it, not that of the box.
    expect(stdout).toMatch(/\n +2 +25 px .* FW_FACE_TOO_SMALL: small\n/);
    expect(stdout.trimEnd().endsWith('two.inspect.png')).toBe(true);
    const { width, height, format } = await sharp(join(cwd, 'two.inspect.png')).metadata();
    expect({ width, height, format }).toEqual({ width: 200, height: 100, format: 'png' });
  });

  it('draws the box of a face where the face is, red where it would be refused', async () => {
    const cwd = createFolder({ 'two.jpg': 'faces=2 refuse=2' });
    await runCli(['inspect', 'two.jpg', '-o', 'out/seen.png'], { cwd });
    const { data, info } = await sharp(join(cwd, 'out/seen.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const colorAt = (x: number, y: number): number[] => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
    // Face 1: box (10, 10) to (70, 70), 2 px wide lines around its edge; face 2: (20, 10) to (50, 40).
    const [r1, g1, b1] = colorAt(70, 60) as [number, number, number];
    expect(b1).toBeGreaterThan(r1 + 50);
    expect(g1).toBeGreaterThan(r1 + 50);
    const [r2, g2, b2] = colorAt(35, 40) as [number, number, number];
    expect(r2).toBeGreaterThan(Math.max(g2, b2) + 50);
    // Outside of everything the photo is untouched (the fake one is grey 90).
    expect(colorAt(150, 90)).toEqual([90, 90, 90]);
  });

  it('prints the numbers as one JSON object, with a picture only where -o asks for one', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo' });
    const { status, stdout } = await runCli(['inspect', 'a.jpg', '--json', '-q'], { cwd });
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ type: 'inspect', image: { widthPx: 200, heightPx: 100 }, picture: null });
    expect(found.faces[0]).toMatchObject({ index: 1, pose: { yawDeg: 1 }, refusal: null });
    expect(found.faces[0].landmarks).toHaveLength(478);
    expect(listFiles(cwd)).toEqual(['a.jpg']);
    await runCli(['inspect', 'a.jpg', '--json', '-o', 'a.webp'], { cwd });
    expect((await sharp(readFileSync(join(cwd, 'a.webp'))).metadata()).format).toBe('webp');
  });

  it('prints as many digits as mean something, and every warning', async () => {
    const cwd = createFolder({ 'a.jpg': 'faces=3 nofocal' });
    const { stdout } = await runCli(['inspect', 'a.jpg', '--json', '-q'], { cwd });
    expect(JSON.parse(stdout).faces[2]).toMatchObject({ widthPx: 16.7, warnings: [{ code: 'CAMERA_FOCAL_ASSUMED' }] });
    expect(stdout).not.toMatch(/\d\.\d{4}/);
    const people = await runCli(['inspect', 'a.jpg'], { cwd });
    expect(people.stdout).toMatch(/3 faces\nnote: The photo names no focal length.*\nface /);
    expect(people.stdout).toMatch(/ ok\n/);
  });

  it('finds no face without failing: that is what one wants to know', async () => {
    const cwd = createFolder({ 'a.jpg': 'faces=0' });
    const { status, stdout } = await runCli(['inspect', 'a.jpg'], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain('0 faces');
  });

  it('refuses to write over the photo, over a folder, and what it cannot read', async () => {
    const cwd = createFolder({ 'a.png': 'photo', 'folder.png/x': '' });
    expect(await runCli(['inspect', 'a.png', '-o', 'a.png'], { cwd })).toMatchObject({ status: 64 });
    expect(await runCli(['inspect', 'a.png', '-o', 'folder.png'], { cwd })).toMatchObject({ status: 73 });
    expect(await runCli(['inspect', 'nope.png'], { cwd })).toMatchObject({ status: 66 });
    expect(await runCli(['inspect', 'folder.png'], { cwd })).toMatchObject({ status: 66 });
    expect(listFiles(cwd)).toEqual(['a.png', 'folder.png/x']);
  });
});
